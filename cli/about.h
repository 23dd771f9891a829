/* What a gateway says about itself (GET /system/info). */
#ifndef FAAS_CLI_ABOUT_H
#define FAAS_CLI_ABOUT_H

#include "cli/client.h"

/* Texts are borrowed from the answer; none is NULL. */
struct cli_about {
    const char *version, *sha, *arch;
    const char *provider, *orchestration, *provider_version, *provider_sha;
};

/* The answer, or NULL. A short deadline: it is asked for by the way. */
json_t *cli_about_ask(const struct cli_client *c, struct faas_error *err);
struct cli_about cli_about_read(const json_t *answer);
void cli_about_print(const struct cli_about *a, const char *gateway);
/* As members "gateway" and "provider" of into. */
void cli_about_to_json(const struct cli_about *a, const char *gateway, json_t *into);

#endif
