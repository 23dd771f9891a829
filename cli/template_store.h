/* The template store: an index, fetched over HTTP, of templates and the repositories they are in.
 */
#ifndef FAAS_CLI_TEMPLATE_STORE_H
#define FAAS_CLI_TEMPLATE_STORE_H

#include "cli/flags.h"
#include "libfaas/json.h"

#define CLI_TEMPLATE_STORE_DEFAULT \
    "https://raw.githubusercontent.com/openfaas/store/master/templates.json"

/* Texts are never NULL. */
struct cli_store_template {
    const char *name;
    const char *platform;
    const char *language;
    const char *source; /* who: "openfaas" */
    const char *description;
    const char *repo;
    const char *official; /* "true" or "false" */
    bool recommended;
    json_t *json; /* (borrowed) as it is in the index */
};

struct cli_template_store {
    json_t *json; /* owns the texts */
    struct cli_store_template *items;
    size_t len;
};

/* Recommended ones first, unofficial before official ones as users are used to, then by name. */
FAAS_NODISCARD int cli_template_store_parse(struct cli_template_store *s, struct faas_str text,
                                            struct faas_error *err);
/* From url (also file:// or a path); when that is NULL or the built-in default, from
 * $OPENFAAS_TEMPLATE_STORE_URL, and without that from the default. */
FAAS_NODISCARD int cli_template_store_load(struct cli_template_store *s, const char *url,
                                           struct faas_error *err);
void cli_template_store_deinit(struct cli_template_store *s);
/* By NAME or SOURCE/NAME, an official one where several are called so. NULL and NOT_FOUND when none
 * is. */
const struct cli_store_template *cli_template_store_find(const struct cli_template_store *s,
                                                         const char *name, struct faas_error *err);

#define CLI_ROW_STORE_URL(options)                                                       \
    {                                                                                    \
        .name = "url", .letter = 'u', .type = CLI_STRING, .at = offsetof(options, url),  \
        .arg = "URL", .shown_default = "$OPENFAAS_TEMPLATE_STORE_URL or OpenFaaS's own", \
        .help = "the store's index"                                                      \
    }

#define _cleanup_template_store_ _cleanup_(cli_template_store_deinit)

#endif
