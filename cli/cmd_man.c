#include "cli/commands.h"

#include "cli/cli.h"
#include "cli/man.h"
#include "cli/out.h"

#include <stdlib.h>
#include <time.h>

/* The day of the build; SOURCE_DATE_EPOCH makes builds that can be repeated. */
static time_t date_of_page(void)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    int64_t seconds;

    if (fixed && faas_parse_i64(faas_str_from(fixed), &seconds, NULL) == 0)
        return (time_t)seconds;
    return time(NULL);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf page = {0};
    time_t now = date_of_page();
    struct tm tm;
    char day[64];

    (void)options;
    (void)err;
    gmtime_r(&now, &tm);
    strftime(day, sizeof(day), "%B %e, %Y", &tm);
    cli_man_write(&page, cli->root, day);
    cli_write(faas_buf_str(&page));
    return 0;
}

const struct cli_command cli_cmd_man = {
    .name = "man",
    .summary = "Print the manual page",
    .description = "Prints the source of faas-cli(1), which is made of the same table as the help.",
    .example = "faas-cli man > faas-cli.1",
    .run = run,
    .hidden = true,
};
