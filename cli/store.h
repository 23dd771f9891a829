/* The function store: an index, fetched over HTTP, of functions that are ready to deploy, with an
 * image for each platform. */
#ifndef FAAS_CLI_STORE_H
#define FAAS_CLI_STORE_H

#include "cli/flags.h"
#include "libfaas/json.h"

#define CLI_STORE_DEFAULT "https://raw.githubusercontent.com/openfaas/store/master/functions.json"

#ifdef __aarch64__
#define CLI_STORE_PLATFORM "arm64"
#else
#define CLI_STORE_PLATFORM "x86_64"
#endif

/* Texts are never NULL. */
struct cli_store_function {
    const char *name;
    const char *title;
    const char *author;
    const char *description;
    const char *fprocess;
    const char *repo_url;
    bool read_only;
    json_t *json; /* (borrowed) as it is in the index */
};

struct cli_store {
    json_t *json; /* owns the texts */
    struct cli_store_function *items;
    size_t len;
};

FAAS_NODISCARD int cli_store_parse(struct cli_store *s, struct faas_str text,
                                   struct faas_error *err);
/* From url (also file:// or a path); when that is NULL or "", from $OPENFAAS_STORE, and without
 * that from OpenFaaS's own. */
FAAS_NODISCARD int cli_store_load(struct cli_store *s, const char *url, struct faas_error *err);
void cli_store_deinit(struct cli_store *s);
/* The image for a platform, whatever the case of its name, or NULL. */
const char *cli_store_image(const struct cli_store_function *f, const char *platform);
/* By name, or by title whatever its case, among those with an image for the platform. NULL and
 * NOT_FOUND otherwise. */
const struct cli_store_function *cli_store_find(const struct cli_store *s, const char *name,
                                                const char *platform, struct faas_error *err);
/* Every platform that some function has an image for, sorted. */
void cli_store_platforms(const struct cli_store *s, struct faas_strv *out);

/* What all commands on the store have. */
struct cli_store_options {
    char *url;
    char *platform;
};

extern const struct cli_flag cli_store_flags[];

#define _cleanup_store_ _cleanup_(cli_store_deinit)

#endif
