#include "cli/commands.h"

#include "cli/manifest_split.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/run.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>

struct options {
    char *output;
    char *values;
    struct faas_strv set;
    bool crds;
    char *namespace_;
    char *release;
};

static const struct cli_flag flags[] = {
    {.name = "output",
     .letter = 'o',
     .type = CLI_STRING,
     .at = offsetof(struct options, output),
     .dflt = "./yaml",
     .arg = "FOLDER",
     .help = "where the files go; what an earlier export left there goes away"},
    {.name = "values",
     .type = CLI_STRING,
     .at = offsetof(struct options, values),
     .arg = "FILE",
     .help = "values of the chart"},
    {.name = "set",
     .type = CLI_LIST,
     .at = offsetof(struct options, set),
     .arg = "KEY=VALUE",
     .help = "a value of the chart"},
    {.name = "crds",
     .type = CLI_BOOL,
     .at = offsetof(struct options, crds),
     .dflt = "true",
     .help = "with the custom resource definitions"},
    CLI_ROW_NAMESPACE(struct options),
    {.name = "release",
     .type = CLI_STRING,
     .at = offsetof(struct options, release),
     .dflt = "openfaas",
     .arg = "NAME",
     .help = "name of the release"},
    {0},
};

static void append_line(void *arg, struct faas_str line)
{
    faas_buf_append_str(arg, line);
    faas_buf_append_c(arg, '\n');
}

static int render(const struct options *o, const char *chart, struct faas_buf *out,
                  struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};
    struct cli_run helm = {.line = append_line, .arg = out};

    faas_strv_add(&argv, "helm");
    faas_strv_add(&argv, "template");
    faas_strv_add(&argv, o->release);
    faas_strv_addf(&argv, "chart/%s", chart);
    if (o->namespace_ && *o->namespace_)
        faas_strv_addf(&argv, "--namespace=%s", o->namespace_);
    if (o->values && *o->values)
        faas_strv_addf(&argv, "--values=%s", o->values);
    faas_strv_for_each(&o->set, value) faas_strv_addf(&argv, "--set=%s", *value);
    if (o->crds)
        faas_strv_add(&argv, "--include-crds");
    helm.argv = argv.items;
    return cli_run_checked(&helm, err);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* Whether all below a folder looks like an export: YAML files, at most one folder deep. */
static int check_export(const char *path, int depth, struct faas_error *err)
{
    _cleanup_(close_dir) DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : faas_fail_errno(err, FAAS_ERR_INVALID, errno, "%s", path);
    while ((entry = readdir(dir))) {
        _cleanup_free_ char *below = faas_asprintf("%s/%s", path, entry->d_name);

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR && depth == 0) {
            if (check_export(below, 1, err) < 0)
                return -1;
        } else if (entry->d_type != DT_REG ||
                   !faas_str_ends(faas_str_from(below), FAAS_STR(".yaml"))) {
            return faas_fail(err, FAAS_ERR_CONFLICT,
                             "%s is not from an export, so %s is left alone; choose another folder "
                             "with --output",
                             below, path);
        }
    }
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *chart = cli->args.len > 0 ? cli->args.items[0] : "openfaas";
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_strv_ struct faas_strv written = {0};

    if (check_export(o->output, 0, err) < 0 || render(o, chart, &text, err) < 0 ||
        faas_remove_tree(o->output, err) < 0 ||
        cli_manifests_split(faas_buf_str(&text), o->output, &written, err) < 0)
        return -1;
    faas_strv_for_each(&written, path) cli_print("%s\n", *path);
    cli_print("Wrote %zu files to %s\n", written.len, o->output);
    return 0;
}

const struct cli_command cli_cmd_chart_export = {
    .name = "export",
    .args = "[NAME]",
    .max_args = 1,
    .summary = "Write a Helm chart's objects to files",
    .description = "Runs helm template on ./chart/NAME (openfaas without a name) and writes every "
                   "object to a file of its own, a folder for each kind.",
    .example = "faas-cli chart export openfaas --namespace openfaas --set async=true\n"
               "faas-cli chart export --values prod.yaml --output ./prod",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
