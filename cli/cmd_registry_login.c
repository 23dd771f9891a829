#include "cli/commands.h"

#include "cli/out.h"
#include "cli/password.h"
#include "cli/save.h"
#include "libfaas/alloc.h"
#include "libfaas/base64.h"
#include "libfaas/file.h"
#include "libfaas/json.h"

struct options {
    char *server;
    char *username;
    struct cli_password_source password;
    bool ecr;
    char *account_id;
    char *region;
};

static const struct cli_flag flags[] = {
    {.name = "server",
     .type = CLI_STRING,
     .at = offsetof(struct options, server),
     .dflt = "https://index.docker.io/v1/",
     .arg = "URL",
     .help = "registry that the credentials are for"},
    {.name = "username",
     .letter = 'u',
     .type = CLI_STRING,
     .at = offsetof(struct options, username),
     .arg = "NAME",
     .help = "user of the registry"},
    {.name = "password",
     .type = CLI_STRING,
     .at = offsetof(struct options, password.literal),
     .arg = "PASSWORD",
     .help = "password; others can see it in the list of processes"},
    {.name = "password-stdin",
     .letter = 's',
     .type = CLI_BOOL,
     .at = offsetof(struct options, password.from_stdin),
     .help = "read the password from standard input"},
    {.name = "ecr",
     .type = CLI_BOOL,
     .at = offsetof(struct options, ecr),
     .help = "let Amazon's credential helper log in, needs --account-id and --region"},
    {.name = "account-id",
     .type = CLI_STRING,
     .at = offsetof(struct options, account_id),
     .arg = "ID",
     .help = "account of the registry (--ecr)"},
    {.name = "region",
     .type = CLI_STRING,
     .at = offsetof(struct options, region),
     .arg = "REGION",
     .help = "region of the registry (--ecr)"},
    {0},
};

static const char folder[] = "./credentials";
static const char file[] = "./credentials/config.json";

static bool given(const char *s)
{
    return s && *s;
}

static json_t *ecr_config(const struct options *o, struct faas_error *err)
{
    _cleanup_free_ char *host = NULL;

    if (!given(o->account_id) || !given(o->region)) {
        faas_fail(err, FAAS_ERR_INVALID, "--ecr needs an --account-id and a --region");
        return NULL;
    }
    host = faas_asprintf("%s.dkr.ecr.%s.amazonaws.com", o->account_id, o->region);
    return json_pack("{s:s,s:{s:s}}", "credsStore", "ecr-login", "credHelpers", host, "ecr-login");
}

static json_t *password_config(const struct options *o, struct faas_error *err)
{
    _cleanup_free_ char *password = NULL;
    _cleanup_free_ char *pair = NULL;
    _cleanup_buf_ struct faas_buf encoded = {0};

    if (!given(o->username)) {
        faas_fail(err, FAAS_ERR_INVALID, "give the registry's user with --username");
        return NULL;
    }
    password = cli_password_read(&o->password, err);
    if (!password)
        return NULL;
    pair = faas_asprintf("%s:%s", o->username, password);
    faas_base64_encode(&encoded, pair, strlen(pair));
    return json_pack("{s:{s:{s:s}}}", "auths", o->server, "auth", encoded.data);
}

/* Docker's own spelling: an indent of one blank. */
static int write_config(const json_t *config, struct faas_error *err)
{
    _cleanup_free_ char *text = json_dumps(config, JSON_INDENT(1));

    if (faas_mkdirs(folder, 0700, err) < 0)
        return -1;
    return cli_save(file, faas_str_from(text), 0600, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_json_ json_t *config = o->ecr ? ecr_config(o, err) : password_config(o, err);

    (void)cli;
    if (!config || write_config(config, err) < 0)
        return -1;
    cli_print("\nWrote %s..OK\n", file);
    return 0;
}

const struct cli_command cli_cmd_registry_login = {
    .name = "registry-login",
    .summary = "Write a container registry's credentials to a file",
    .description = "Writes ./credentials/config.json, in the format of Docker's config.json, for "
                   "builders and clusters that pull or push images.",
    .example = "faas-cli registry-login -u ada --password-stdin < password.txt\n"
               "faas-cli registry-login --ecr --account-id 123456789012 --region eu-west-1",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
