#include "cli/command.h"
#include "cli/out.h"
#include "cli/plugin.h"

#include <stdio.h>

static int run(int argc, char **argv, struct faas_error *err)
{
    int rc = cli_plugin_run(argv, err);

    return rc != 0 ? rc : cli_dispatch(&cli_root, argv + 1, argc > 0 ? (size_t)argc - 1 : 0, err);
}

int main(int argc, char **argv)
{
    struct faas_error err = {0};
    int rc;

    /* Lines are seen when they are said, also through a pipe. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    rc = run(argc, argv, &err);
    if (rc != 0 && err.msg[0])
        cli_print_error(err.msg);
    if (cli_flush(&err) < 0 && rc == 0) {
        cli_print_error(err.msg);
        rc = -1;
    }
    return rc < 0 ? 1 : rc;
}
