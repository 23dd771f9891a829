#include "cli/commands.h"

#include "cli/config.h"
#include "cli/options.h"
#include "cli/out.h"

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_connect *connect = options;
    _cleanup_free_ char *gateway = cli_connect_gateway(connect, NULL, err);
    _cleanup_config_ struct cli_config config = {0};

    (void)cli;
    if (!gateway || cli_config_load(&config, err) < 0)
        return -1;
    if (!cli_config_remove(&config, gateway))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no credentials are saved for %s", gateway);
    if (cli_config_save(&config, err) < 0)
        return -1;
    cli_print("credentials removed for %s\n", gateway);
    return 0;
}

const struct cli_command cli_cmd_logout = {
    .name = "logout",
    .summary = "Log out of a gateway",
    .description = "Forgets the saved credentials of a gateway.",
    .example = "faas-cli logout\n"
               "faas-cli logout --gateway https://faas.example.com",
    .options_size = sizeof(struct cli_connect),
    .flags = {{cli_gateway_flags_alone, 0}},
    .run = run,
};
