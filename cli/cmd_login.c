#include "cli/commands.h"

#include "cli/client.h"
#include "cli/config.h"
#include "cli/out.h"
#include "cli/password.h"
#include "libfaas/alloc.h"
#include "libfaas/base64.h"

struct options {
    struct cli_connect connect;
    char *username;
    struct cli_password_source password;
    int64_t timeout_ms;
};

static const struct cli_flag flags[] = {
    {.name = "username",
     .letter = 'u',
     .type = CLI_STRING,
     .at = offsetof(struct options, username),
     .dflt = "admin",
     .arg = "NAME",
     .help = "user of the gateway"},
    {.name = "password",
     .letter = 'p',
     .type = CLI_STRING,
     .at = offsetof(struct options, password.literal),
     .arg = "PASSWORD",
     .help = "password; others can see it in the list of processes"},
    {.name = "password-stdin",
     .letter = 's',
     .type = CLI_BOOL,
     .at = offsetof(struct options, password.from_stdin),
     .help = "read the password from standard input"},
    {.name = "timeout",
     .type = CLI_DURATION,
     .at = offsetof(struct options, timeout_ms),
     .dflt = "5s",
     .arg = "DURATION",
     .help = "longest wait for the gateway's answer"},
    {0},
};

static int validate(const struct cli_client *c, struct faas_error *err)
{
    const struct cli_call call = {.method = "GET", .path = "/system/functions"};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 401)
        return faas_fail(err, FAAS_ERR_UNAUTHORIZED,
                         "the gateway did not accept this username and password");
    return resp.status == 200 ? 0 : cli_client_refuse(c, &resp, err);
}

static int save(const char *gateway, const char *token, struct faas_error *err)
{
    _cleanup_config_ struct cli_config config = {0};

    if (cli_config_load(&config, err) < 0)
        return -1;
    cli_config_set(&config, gateway, "basic", token);
    return cli_config_save(&config, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_free_ char *gateway = cli_connect_gateway(&o->connect, NULL, err);
    _cleanup_free_ char *password = gateway ? cli_password_read(&o->password, err) : NULL;
    _cleanup_free_ char *pair = NULL;
    _cleanup_buf_ struct faas_buf token = {0};
    _cleanup_client_ struct cli_client client = {0};

    (void)cli;
    if (!password)
        return -1;
    if (!*o->username || strchr(o->username, ':'))
        return faas_fail(err, FAAS_ERR_INVALID, "flag --username: must not be empty or have a ':'");
    cli_print("Validating the credentials with %s...\n", gateway);
    cli_warn_if_exposed(&o->connect, gateway);
    pair = faas_asprintf("%s:%s", o->username, password);
    faas_base64_encode(&token, pair, strlen(pair));
    client = (struct cli_client){.gateway = faas_strdup(gateway),
                                 .authorization = faas_asprintf("Basic %s", token.data),
                                 .insecure_tls = o->connect.tls_no_verify,
                                 .timeout_ms = o->timeout_ms};
    if (validate(&client, err) < 0 || save(gateway, token.data, err) < 0)
        return -1;
    cli_print("credentials saved for %s %s\n", o->username, gateway);
    return 0;
}

const struct cli_command cli_cmd_login = {
    .name = "login",
    .summary = "Log in to a gateway",
    .description = "Tries a user and a password at a gateway and, when it takes them, saves them "
                   "for all other commands in ~/.openfaas/config.yml (or in the folder that "
                   "OPENFAAS_CONFIG names), readable by you only.",
    .example = "cat password.txt | faas-cli login --password-stdin\n"
               "faas-cli login --gateway https://faas.example.com -u admin -s < password.txt",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)}, {flags, 0}},
    .run = run,
};
