/* The file that login writes: credentials by gateway URL, in the format that faas-cli and its
 * plugins share. Entries of kinds that we do not make ourselves, and their options, are kept. */
#ifndef FAAS_CLI_CONFIG_H
#define FAAS_CLI_CONFIG_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

struct cli_auth {
    char *gateway;
    char *kind;  /* "basic", "oauth2" */
    char *token; /* basic: base64 of user:password; else a bearer token */
    struct faas_map options;
};

struct cli_config {
    struct cli_auth *items;
    size_t len;
};

void cli_config_deinit(struct cli_config *c);
FAAS_NODISCARD int cli_config_parse(struct cli_config *c, struct faas_str text, const char *file,
                                    struct faas_error *err);
void cli_config_write(struct faas_buf *out, const struct cli_config *c);

/* Where the file is: $OPENFAAS_CONFIG/config.yml, .openfaas/config.yml in CI, else in the home
 * folder. Heap; NULL and NOT_FOUND when there is no home. */
char *cli_config_path(struct faas_error *err);
/* An absent file is an empty configuration. */
FAAS_NODISCARD int cli_config_load(struct cli_config *c, struct faas_error *err);
/* Replaces the file in one step, readable by its owner only. */
FAAS_NODISCARD int cli_config_save(const struct cli_config *c, struct faas_error *err);

const struct cli_auth *cli_config_find(const struct cli_config *c, const char *gateway);
/* Whether it can be sent at all: INVALID for a "basic" one that is no user:password. */
FAAS_NODISCARD int cli_auth_check(const struct cli_auth *auth, struct faas_error *err);
/* Adds an entry, or changes the kind and token of the one that is there. */
void cli_config_set(struct cli_config *c, const char *gateway, const char *kind, const char *token);
bool cli_config_remove(struct cli_config *c, const char *gateway);

/* Whether we are told to be in a CI job. */
bool cli_in_ci(void);

#define _cleanup_config_ _cleanup_(cli_config_deinit)

#endif
