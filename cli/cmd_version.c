#include "cli/commands.h"

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/out.h"
#include "libfaas/version.h"

struct options {
    struct cli_connect connect;
    bool envsubst;
    bool json;
    bool short_version;
    bool warn_update;
};

static const struct cli_flag flags[] = {
    {.name = "short-version",
     .type = CLI_BOOL,
     .at = offsetof(struct options, short_version),
     .help = "print only this program's version"},
    CLI_ROW_JSON(struct options),
    CLI_ROW_ENVSUBST(struct options),
    {.name = "warn-update",
     .type = CLI_BOOL,
     .at = offsetof(struct options, warn_update),
     .help = "accepted for compatibility; nobody is asked for newer versions"},
    {0},
};

enum { TIMEOUT_MS = 5000 };

/* What the gateway says about itself; borrowed from its answer. */
struct about {
    const char *version, *sha;
    const char *provider, *orchestration, *provider_version, *provider_sha;
};

static const char *member(const json_t *object, const char *key)
{
    const char *s = object ? json_string_value(faas_json_get(object, key)) : NULL;

    return s ? s : "";
}

static struct about read_about(const json_t *info)
{
    const json_t *version = faas_json_get(info, "version");
    const json_t *provider = faas_json_get(info, "provider");
    const json_t *provider_version = provider ? faas_json_get(provider, "version") : NULL;

    return (struct about){.version = member(version, "release"),
                          .sha = member(version, "sha"),
                          .provider = member(provider, "provider"),
                          .orchestration = member(provider, "orchestration"),
                          .provider_version = member(provider_version, "release"),
                          .provider_sha = member(provider_version, "sha")};
}

static void print_text(const char *gateway, const json_t *info)
{
    _cleanup_buf_ struct faas_buf logo = {0};
    struct about a;

    cli_logo_write(&logo);
    cli_paint(stdout, CLI_BLUE, "%s", logo.data);
    cli_print("CLI:\n commit:  %s\n version: %s\n", faas_commit(), faas_version());
    if (!info)
        return;
    a = read_about(info);
    cli_print("\nGateway\n uri:     %s\n version: %s\n sha:     %s\n", gateway, a.version, a.sha);
    cli_print("\nProvider\n name:          %s\n orchestration: %s\n version:       %s\n"
              " sha:           %s\n",
              a.provider, a.orchestration, a.provider_version, a.provider_sha);
}

static void print_json(const char *gateway, const json_t *info)
{
    struct about a = read_about(info);
    _cleanup_json_ json_t *all =
        json_pack("{s:{s:s,s:s},s:{s:s,s:s,s:s},s:{s:s,s:s,s:s,s:s}}", "cli", "commit",
                  faas_commit(), "version", faas_version(), "gateway", "uri", gateway, "version",
                  a.version, "sha", a.sha, "provider", "name", a.provider, "orchestration",
                  a.orchestration, "version", a.provider_version, "sha", a.provider_sha);

    cli_print_json(all);
}

static json_t *ask(const struct cli_client *c, struct faas_error *err)
{
    const struct cli_call call = {
        .method = "GET", .path = "/system/info", .timeout_ms = TIMEOUT_MS};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(c, &call, &resp, err) < 0)
        return NULL;
    if (resp.status != 200) {
        faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s/system/info answered with status %d", c->gateway,
                  resp.status);
        return NULL;
    }
    return faas_json_parse(faas_buf_str(&resp.body), err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_json_ json_t *info = NULL;

    if (o->short_version) {
        cli_print("%s\n", faas_version());
        return 0;
    }
    (void)!cli_load_stack(cli, o->envsubst, &stack, NULL); /* its gateway, if it can be read */
    if (cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    info = ask(&client, err);
    if (o->json && !info)
        return -1;
    if (o->json)
        print_json(client.gateway, info);
    else
        print_text(client.gateway, info);
    return 0;
}

const struct cli_command cli_cmd_version = {
    .name = "version",
    .summary = "Show versions",
    .description = "Shows the versions of this program and, when it can be reached, of the gateway "
                   "and its provider.",
    .example = "faas-cli version\n"
               "faas-cli version --short-version",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
