/* The stack file: which functions there are, how each is built and how it is deployed. Everything
 * is read into one struct that owns it; functions stand in file order. */
#ifndef FAAS_CLI_STACK_H
#define FAAS_CLI_STACK_H

#include "cli/envsubst.h"
#include "libfaas/api_types.h"
#include "libfaas/arena.h"
#include "libfaas/map.h"

/* Texts are NULL when absent or empty. */
struct cli_function {
    const char *name;
    const char *file; /* where it is described */
    int line;
    const char *lang;
    const char *handler;
    const char *image;
    const char *fprocess;
    const char *namespace_;
    const char *platforms;
    struct faas_map environment;
    struct faas_strv environment_file;
    struct faas_strv secrets;
    bool skip_build;
    bool has_constraints; /* the key is there, perhaps empty */
    struct faas_strv constraints;
    struct faas_map labels;
    struct faas_map annotations;
    struct faas_map limits;
    struct faas_map requests;
    bool readonly_root_filesystem;
    struct faas_strv build_options;
    struct faas_map build_args;
    struct faas_map build_secrets;
};

struct cli_template_source {
    const char *name;
    const char *source; /* NULL: the template store knows */
};

struct cli_stack {
    struct faas_arena arena; /* of all texts */
    const char *file;        /* NULL: there is no stack file; the last of several */
    struct faas_strv files;  /* all of them */
    const char *gateway;     /* NULL: not said */
    struct cli_function *functions;
    size_t n_functions;
    struct cli_template_source *templates;
    size_t n_templates;
    struct faas_strv copy;
    int functions_end;    /* 1-based line behind the last function's, where another can go */
    int functions_column; /* 0-based column of the functions' names; 0: there are none */
};

void cli_stack_deinit(struct cli_stack *s);
/* Reads text; file names it in errors ("stack.yml:12: functions.hello.labels: …"). env NULL: no
 * substitution. When s has been read from another file already, this one adds to it: functions (of
 * other names), templates and paths to copy; its gateway, if any, wins. */
FAAS_NODISCARD int cli_stack_parse(struct cli_stack *s, struct faas_str text, const char *file,
                                   const struct cli_env *env, struct faas_error *err);
/* Reads a file, or a URL (anything with "://"). */
FAAS_NODISCARD int cli_stack_load(struct cli_stack *s, const char *file, const struct cli_env *env,
                                  struct faas_error *err);
/* Keeps the functions whose name matches: filter is a name in which * stands for anything, regex
 * an extended regular expression (with \d and \D) found anywhere in it. Both at once, or no match:
 * INVALID. */
FAAS_NODISCARD int cli_stack_select(struct cli_stack *s, const char *filter, const char *regex,
                                    struct faas_error *err);
/* Keeps the functions with these names; none may be left. */
void cli_stack_keep(struct cli_stack *s, const struct faas_strv *names);
const struct cli_function *cli_stack_find(const struct cli_stack *s, const char *name);
/* stack.yaml or stack.yml, whichever is there (the first wins), or NULL. */
const char *cli_stack_default_file(void);

/* Adds the "environment:" map of an environment file. */
FAAS_NODISCARD int cli_environment_file_read(struct faas_map *into, const char *file,
                                             struct faas_error *err);

#define _cleanup_stack_ _cleanup_(cli_stack_deinit)

#endif
