#include "cli/options.h"

#include "cli/gateway_url.h"
#include "cli/out.h"

#define GATEWAY_ROW(DEFAULT)                                                 \
    {                                                                        \
        .name = "gateway", .letter = 'g', .type = CLI_STRING,                \
        .at = offsetof(struct cli_connect, gateway), .arg = "URL",           \
        .shown_default = DEFAULT "$OPENFAAS_URL, then " CLI_DEFAULT_GATEWAY, \
        .help = "gateway to talk to"                                         \
    }
#define TLS_ROW                                                                                 \
    {                                                                                           \
        .name = "tls-no-verify", .type = CLI_BOOL,                                              \
        .at = offsetof(struct cli_connect, tls_no_verify), .help = "accept any TLS certificate" \
    }

const struct cli_flag cli_gateway_flags[] = {GATEWAY_ROW("the stack file's, then "), TLS_ROW, {0}};
const struct cli_flag cli_gateway_flags_alone[] = {GATEWAY_ROW(""), TLS_ROW, {0}};

const struct cli_flag cli_token_flags[] = {
    {.name = "token",
     .letter = 'k',
     .type = CLI_STRING,
     .at = offsetof(struct cli_connect, token),
     .arg = "TOKEN",
     .help = "bearer token to use instead of the saved login"},
    {0},
};

const struct cli_flag cli_resource_flags[] = {
    {.name = "cpu-request",
     .type = CLI_STRING,
     .at = offsetof(struct cli_resource_options, cpu_request),
     .arg = "CPU",
     .help = "CPU to set aside, such as 100m"},
    {.name = "cpu-limit",
     .type = CLI_STRING,
     .at = offsetof(struct cli_resource_options, cpu_limit),
     .arg = "CPU",
     .help = "most CPU to use, such as 500m"},
    {.name = "memory-request",
     .type = CLI_STRING,
     .at = offsetof(struct cli_resource_options, memory_request),
     .arg = "MEMORY",
     .help = "memory to set aside, such as 64Mi"},
    {.name = "memory-limit",
     .type = CLI_STRING,
     .at = offsetof(struct cli_resource_options, memory_limit),
     .arg = "MEMORY",
     .help = "most memory to use, such as 128Mi"},
    {0},
};

const char *const cli_tag_formats[] = {"latest", "sha",     "branch", "describe",
                                       "digest", "default", "",       NULL};

static int load_file(struct cli_stack *out, const char *file, bool envsubst, struct faas_error *err)
{
    if (cli_stack_load(out, file, envsubst ? &cli_process_env : NULL, err) < 0)
        return -1;
    if (strstr(file, "://"))
        cli_print("Parsed: %s\n", file);
    return 0;
}

int cli_load_stack(const struct cli *cli, bool envsubst, struct cli_stack *out,
                   struct faas_error *err)
{
    const char *dflt = cli->yaml && *cli->yaml ? NULL : cli_stack_default_file();

    if (dflt && load_file(out, dflt, envsubst, err) < 0)
        return -1;
    for (size_t i = 0; !dflt && i < cli->files.len; i++)
        if (*cli->files.items[i] && load_file(out, cli->files.items[i], envsubst, err) < 0)
            return -1;
    if (!out->file)
        return 0;
    if (cli_stack_select(out, cli->filter, cli->regex, err) < 0)
        return -1;
    if (cli->only.len > 0)
        cli_stack_keep(out, &cli->only);
    return 0;
}

char *cli_connect_gateway(const struct cli_connect *connect, const struct cli_stack *stack,
                          struct faas_error *err)
{
    _cleanup_free_ char *url =
        cli_gateway_choose(connect->gateway, stack ? stack->gateway : NULL, getenv("OPENFAAS_URL"));

    return cli_gateway_check(url, err) == 0 ? faas_steal_ptr(&url) : NULL;
}

void cli_warn_if_exposed(const struct cli_connect *connect, const char *gateway)
{
    if (!connect->tls_no_verify && cli_gateway_is_exposed(gateway))
        cli_note("WARNING! The connection to %s is not encrypted; use an https:// gateway.\n",
                 gateway);
}
