#include "cli/about.h"

#include "cli/json_text.h"
#include "cli/out.h"

enum { TIMEOUT_MS = 5000 };

json_t *cli_about_ask(const struct cli_client *c, struct faas_error *err)
{
    const struct cli_call call = {
        .method = "GET", .path = "/system/info", .timeout_ms = TIMEOUT_MS};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(c, &call, &resp, err) < 0)
        return NULL;
    if (resp.status == 200)
        return faas_json_parse(faas_buf_str(&resp.body), err);
    if (resp.status == 401)
        (void)!cli_client_refuse(c, &resp, err);
    else
        faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s/system/info answered with status %d", c->gateway,
                  resp.status);
    return NULL;
}

struct cli_about cli_about_read(const json_t *answer)
{
    const json_t *version = faas_json_get(answer, "version");
    const json_t *provider = faas_json_get(answer, "provider");
    const json_t *provider_version = provider ? faas_json_get(provider, "version") : NULL;

    return (struct cli_about){.version = cli_json_text(version, "release"),
                              .sha = cli_json_text(version, "sha"),
                              .arch = cli_json_text(answer, "arch"),
                              .provider = cli_json_text(provider, "provider"),
                              .orchestration = cli_json_text(provider, "orchestration"),
                              .provider_version = cli_json_text(provider_version, "release"),
                              .provider_sha = cli_json_text(provider_version, "sha")};
}

void cli_about_print(const struct cli_about *a, const char *gateway)
{
    cli_print("Gateway\n uri:     %s\n version: %s\n sha:     %s\n", gateway, a->version, a->sha);
    cli_print("\nProvider\n name:          %s\n orchestration: %s\n version:       %s\n"
              " sha:           %s\n",
              a->provider, a->orchestration, a->provider_version, a->provider_sha);
}

void cli_about_to_json(const struct cli_about *a, const char *gateway, json_t *into)
{
    json_object_set_new(
        into, "gateway",
        json_pack("{s:s,s:s,s:s}", "uri", gateway, "version", a->version, "sha", a->sha));
    json_object_set_new(into, "provider",
                        json_pack("{s:s,s:s,s:s,s:s}", "name", a->provider, "orchestration",
                                  a->orchestration, "version", a->provider_version, "sha",
                                  a->provider_sha));
}
