#include "cli/commands.h"

#include "cli/out.h"
#include "cli/secret.h"
#include "libfaas/alloc.h"
#include "libfaas/api_types.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

struct options {
    struct cli_connect connect;
    char *namespace_;
    bool trim;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {.name = "trim",
     .type = CLI_BOOL,
     .at = offsetof(struct options, trim),
     .dflt = "true",
     .help = "leave out blanks and line feeds around the values"},
    {0},
};

static const char folder[] = ".secrets";

/* The regular files, by name. */
static int list_files(struct faas_strv *out, struct faas_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "./%s", folder);
    while ((entry = readdir(dir))) {
        struct stat st;

        if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            faas_strv_add(out, entry->d_name);
    }
    closedir(dir);
    faas_strv_sort(out);
    return 0;
}

/* The names that the gateway has in exactly this namespace, as it writes it. */
static int list_existing(const struct cli_client *c, const char *namespace_, struct faas_strv *out,
                         struct faas_error *err)
{
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *list = NULL;
    const json_t *item;
    size_t i;

    if (*namespace_)
        faas_map_set(&query, "namespace", namespace_);
    list = cli_client_get(c, "/system/secrets", &query, err);
    if (!list)
        return -1;
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(faas_json_get(item, "name"));
        const char *in = json_string_value(faas_json_get(item, "namespace"));

        if (name && strcmp(in ? in : "", namespace_) == 0)
            faas_strv_add(out, name);
    }
    return 0;
}

/* Updates what exists rather than removing it first: functions that read it never find it gone. */
static int apply(const struct cli_client *c, struct cli_secret_call call, bool exists,
                 struct faas_error *err)
{
    int status;

    call.method = "POST";
    if (!exists && cli_secret_send(c, &call, &status, err) < 0) {
        if (err->code != FAAS_ERR_CONFLICT)
            return -1;
        exists = true;
    }
    call.method = "PUT";
    if (exists && cli_secret_send(c, &call, &status, err) < 0)
        return -1;
    cli_print("Applied secret: %s\n", call.name);
    return 0;
}

static int apply_file(const struct cli_client *c, const struct options *o, const char *name,
                      const struct faas_strv *existing, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", folder, name);
    _cleanup_secret_value_ struct cli_secret_value value = {0};
    const struct cli_secret_source source = {.from_file = path, .trim = o->trim};
    const struct cli_secret_call call = {
        .name = name, .namespace_ = o->namespace_, .value = &value};
    struct faas_error why = {0};

    if (faas_validate_secret_name(faas_str_from(name), &why) < 0 ||
        cli_secret_value_read(&value, &source, &why) < 0) {
        cli_print("Skipping %s: %s\n", path, why.msg);
        return 0;
    }
    return apply(c, call, faas_strv_has(existing, name), err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_strv_ struct faas_strv files = {0};
    _cleanup_strv_ struct faas_strv existing = {0};

    (void)cli;
    if (list_files(&files, err) < 0)
        return -1;
    if (files.len == 0) {
        cli_print("There are no files in ./%s.\n", folder);
        return 0;
    }
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        list_existing(&client, o->namespace_ ? o->namespace_ : "", &existing, err) < 0)
        return -1;
    cli_warn_if_exposed(&o->connect, client.gateway);
    faas_strv_for_each(&files,
                       name) if (apply_file(&client, o, *name, &existing, err) < 0) return -1;
    return 0;
}

const struct cli_command cli_cmd_secret_apply = {
    .name = "apply",
    .summary = "Make secrets of the files in ./.secrets",
    .description = "Makes every file in ./.secrets a secret of that name, replacing what is there.",
    .example = "faas-cli secret apply",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
