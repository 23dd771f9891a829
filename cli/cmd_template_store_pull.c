#include "cli/commands.h"

#include "cli/options.h"
#include "cli/template_ensure.h"
#include "cli/template_options.h"
#include "cli/template_pull.h"
#include "cli/template_store.h"
#include "libfaas/alloc.h"

struct options {
    struct cli_template_pull_options pull;
    char *url;
};

static const struct cli_flag flags[] = {
    CLI_ROW_STORE_URL(struct options),
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *wanted = cli->args.items[0];
    const char *at = strchr(wanted, '@');
    _cleanup_free_ char *name = faas_strndup(wanted, strcspn(wanted, "@"));
    _cleanup_template_store_ struct cli_template_store store = {0};
    _cleanup_strv_ struct faas_strv written = {0};
    _cleanup_free_ char *repo = NULL;
    struct cli_template_pull pull = {.overwrite = o->pull.overwrite, .debug = o->pull.debug};
    const struct cli_store_template *t;

    if (cli_template_store_load(&store, o->url, err) < 0)
        return -1;
    t = cli_template_store_find(&store, name, err);
    if (!t)
        return -1;
    repo = at ? faas_asprintf("%s#%s", t->repo, at + 1) : faas_strdup(t->repo);
    pull.repo = repo;
    if (cli_template_pull(&pull, &written, err) < 0)
        return -1;
    cli_template_tell_written(&written);
    return 0;
}

const struct cli_command cli_cmd_template_store_pull = {
    .name = "pull",
    .args = "NAME[@REF]|SOURCE/NAME[@REF]",
    .min_args = 1,
    .max_args = 1,
    .summary = "Fetch a template of the store, and all others of its repository",
    .description = "Looks up the template's repository and fetches it as faas-cli template pull "
                   "does. REF is a branch, a tag or sha-COMMIT.",
    .example = "faas-cli template store pull golang-middleware\n"
               "faas-cli template store pull openfaas/golang-middleware@1.0.0",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}, {cli_template_pull_flags, offsetof(struct options, pull)}},
    .run = run,
};
