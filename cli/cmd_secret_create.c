#include "cli/commands.h"

#include "cli/out.h"
#include "cli/secret.h"
#include "libfaas/api_types.h"

struct options {
    struct cli_connect connect;
    struct cli_secret_source source;
    char *namespace_;
    bool replace;
};

static const struct cli_flag flags[] = {
    {.name = "replace",
     .type = CLI_BOOL,
     .at = offsetof(struct options, replace),
     .help = "update the secret when there is one already"},
    CLI_ROW_NAMESPACE(struct options),
    {0},
};

static int update_instead(const struct cli_client *c, struct cli_secret_call call,
                          struct faas_error *err)
{
    int status;

    call.method = "PUT";
    cli_print("Secret %s already exists, replacing it.\n", call.name);
    if (cli_secret_send(c, &call, &status, err) < 0)
        return -1;
    cli_print("Updated: %d %s\n", status, cli_status_text(status));
    return 0;
}

static int create(const struct cli_client *c, const struct cli_secret_call *call, bool replace,
                  struct faas_error *err)
{
    int status;

    cli_print("Creating secret: %s.%s\n", call->name, call->namespace_ ? call->namespace_ : "");
    if (cli_secret_send(c, call, &status, err) < 0) {
        if (err->code != FAAS_ERR_CONFLICT)
            return -1;
        return replace ? update_instead(c, *call, err)
                       : faas_fail(err, FAAS_ERR_CONFLICT,
                                   "secret \"%s\" already exists; --replace would update it",
                                   call->name);
    }
    cli_print("Created: %d %s\n", status, cli_status_text(status));
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_secret_value_ struct cli_secret_value value = {0};
    const struct cli_secret_call call = {
        .method = "POST", .name = cli->args.items[0], .namespace_ = o->namespace_, .value = &value};

    if (faas_validate_secret_name(faas_str_from(call.name), err) < 0 ||
        cli_secret_value_read(&value, &o->source, err) < 0 ||
        cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    cli_warn_if_exposed(&o->connect, client.gateway);
    return create(&client, &call, o->replace, err);
}

const struct cli_command cli_cmd_secret_create = {
    .name = "create",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Create a secret",
    .description = "Creates a secret from a file, from a flag, or from standard input.",
    .example = "faas-cli secret create api-key --from-file ./key.txt\n"
               "printf s3cret | faas-cli secret create api-key --replace",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {cli_secret_source_flags, offsetof(struct options, source)},
              {flags, 0}},
    .run = run,
};
