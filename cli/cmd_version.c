#include "cli/commands.h"

#include "cli/about.h"
#include "cli/json_text.h"
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

static void print_text(const char *gateway, const json_t *info)
{
    _cleanup_buf_ struct faas_buf logo = {0};
    struct cli_about about;

    cli_logo_write(&logo);
    cli_paint(stdout, CLI_BLUE, "%s", logo.data);
    cli_print("CLI:\n commit:  %s\n version: %s\n", faas_commit(), faas_version());
    if (!info)
        return;
    about = cli_about_read(info);
    cli_print("\n");
    cli_about_print(&about, gateway);
}

static void print_json(const char *gateway, const json_t *info)
{
    struct cli_about about = cli_about_read(info);
    _cleanup_json_ json_t *all =
        json_pack("{s:{s:s,s:s}}", "cli", "commit", faas_commit(), "version", faas_version());

    cli_about_to_json(&about, gateway, all);
    cli_print_json(all);
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
    info = cli_about_ask(&client, err);
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
