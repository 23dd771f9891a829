/* Language templates: folders ./template/<lang>/ with a template.yml, entry files, a handler
 * skeleton, and a recipe to build them (bundle.sh, Dockerfile). */
#ifndef FAAS_CLI_TEMPLATE_H
#define FAAS_CLI_TEMPLATE_H

#include "libfaas/arena.h"
#include "libfaas/map.h"

struct cli_build_option {
    const char *name;
    struct faas_strv packages;
};

struct cli_template {
    struct faas_arena arena; /* of the texts below */
    const char *dir;         /* "template/python3" */
    const char *language;
    const char *fprocess;        /* NULL: not said */
    const char *welcome_message; /* NULL: none */
    const char *handler_folder;  /* "function" */
    const char *example_folder;  /* what only a new function gets, such as a test; NULL: nothing */
    bool mount_ssh;
    struct faas_map environment; /* what its functions' watchdog is set to, unless told otherwise */
    struct cli_build_option *build_options;
    size_t n_build_options;
};

/* A name becomes part of a path, and must not lead anywhere else. NAME or NAME@REF. */
FAAS_NODISCARD int cli_template_check_name(const char *lang, struct faas_error *err);
/* Whether ./template/<lang>/template.yml is there. */
bool cli_template_exists(const char *lang);
/* Reads ./template/<lang>/template.yml. NOT_FOUND when there is none. */
FAAS_NODISCARD int cli_template_load(struct cli_template *t, const char *lang,
                                     struct faas_error *err);
FAAS_NODISCARD int cli_template_parse(struct cli_template *t, struct faas_str text,
                                      const char *file, struct faas_error *err);
void cli_template_deinit(struct cli_template *t);
/* The names of the folders in ./template, sorted. NOT_FOUND when that is missing. */
FAAS_NODISCARD int cli_template_list(struct faas_strv *out, struct faas_error *err);

/* "Dockerfile" is written by hand for "dockerfile", whose handler folder is the whole context. */
bool cli_is_dockerfile(const char *lang);

#define _cleanup_template_ _cleanup_(cli_template_deinit)

#endif
