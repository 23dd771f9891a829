#include "cli/diff.h"

#include "libfaas/alloc.h"

static void add(struct cli_diff *d, const char *prefix, const char *key, const char *local,
                const char *remote)
{
    bool same = local && remote ? strcmp(local, remote) == 0 : local == remote;

    if (same)
        return;
    d->rows = faas_reallocarray(d->rows, d->len + 1, sizeof(*d->rows));
    d->rows[d->len++] = (struct cli_diff_row){
        .field = faas_asprintf("%s%s", prefix, key),
        .local = local ? faas_strdup(local) : NULL,
        .remote = remote ? faas_strdup(remote) : NULL,
    };
}

/* All keys of both, sorted; what one side lacks may not count. */
static void add_maps(struct cli_diff *d, const char *prefix, const struct faas_map *local,
                     const struct faas_map *remote, bool count_local, bool count_remote)
{
    _cleanup_strv_ struct faas_strv keys = {0};

    faas_map_for_each (local, e)
        faas_strv_add(&keys, e->key);
    faas_map_for_each (remote, e)
        if (!faas_strv_has(&keys, e->key))
            faas_strv_add(&keys, e->key);
    faas_strv_sort(&keys);
    faas_strv_for_each(&keys, key)
    {
        const char *l = faas_map_get(local, *key), *r = faas_map_get(remote, *key);

        if ((l || count_remote) && (r || count_local))
            add(d, prefix, *key, l, r);
    }
}

/* As a map from name to itself, so that lists compare like maps, whatever their order. */
static void as_map(struct faas_map *out, const struct faas_strv *list)
{
    faas_strv_for_each(list, item) faas_map_set(out, *item, *item);
}

static void add_lists(struct cli_diff *d, const char *prefix, const struct faas_strv *local,
                      const struct faas_strv *remote)
{
    _cleanup_map_ struct faas_map l = {0}, r = {0};

    as_map(&l, local);
    as_map(&r, remote);
    add_maps(d, prefix, &l, &r, true, true);
}

static void add_resources(struct cli_diff *d, const char *prefix,
                          const struct faas_resources *local, const struct faas_resources *remote)
{
    add(d, prefix, "cpu", local->cpu, remote->cpu);
    add(d, prefix, "memory", local->memory, remote->memory);
}

static const char *yes_or_no(bool b)
{
    return b ? "true" : "false";
}

/* What the gateway adds by itself is no difference. */
static void copy_labels(struct faas_map *out, const struct faas_function_spec *remote)
{
    const char *name = faas_map_get(&remote->labels, "faas_function");

    faas_map_copy(out, &remote->labels);
    if (name && remote->service && strcmp(name, remote->service) == 0)
        faas_map_remove(out, "faas_function");
}

void cli_diff_compare(struct cli_diff *d, const struct faas_function_spec *local,
                      const struct faas_function_spec *remote, enum cli_diff_env env)
{
    static const struct faas_function_spec nothing = {0};
    const struct faas_function_spec *r = remote ? remote : &nothing;
    _cleanup_map_ struct faas_map labels = {0};

    copy_labels(&labels, r);
    add(d, "", "image", local->image, r->image);
    if (local->env_process) /* else the template or the image knows */
        add(d, "", "fprocess", local->env_process, r->env_process);
    if (remote || local->read_only_root)
        add(d, "", "readonly_root_filesystem", yes_or_no(local->read_only_root),
            remote ? yes_or_no(r->read_only_root) : NULL);
    add_maps(d, "env.", &local->env, &r->env, env != CLI_DIFF_REMOTE, env != CLI_DIFF_LOCAL);
    add_lists(d, "secret.", &local->secrets, &r->secrets);
    add_lists(d, "constraint.", &local->constraints, &r->constraints);
    add_maps(d, "label.", &local->labels, &labels, true, true);
    add_maps(d, "annotation.", &local->annotations, &r->annotations, true, true);
    add_resources(d, "limits.", &local->limits, &r->limits);
    add_resources(d, "requests.", &local->requests, &r->requests);
}

static char *cell(char sign, const char *field, const char *value)
{
    return value ? faas_asprintf("%c %s: %s", sign, field, value) : faas_strdup("");
}

void cli_diff_write(struct faas_buf *out, const struct cli_diff *d)
{
    size_t width[2] = {40, 40};
    char rule[512];

    for (size_t i = 0; i < d->len; i++) {
        const struct cli_diff_row *row = &d->rows[i];
        const size_t around = strlen("- ") + strlen(row->field) + strlen(": ");

        if (row->local)
            width[0] = FAAS_MAX(width[0], around + strlen(row->local));
        if (row->remote)
            width[1] = FAAS_MAX(width[1], around + strlen(row->remote));
    }
    memset(rule, '-', sizeof(rule));
    width[0] = FAAS_MIN(width[0], sizeof(rule));
    width[1] = FAAS_MIN(width[1], sizeof(rule));
    faas_buf_printf(out, "  %-*s | deployed\n", (int)width[0], "stack.yaml");
    faas_buf_printf(out, "  %.*s-+-%.*s\n", (int)width[0], rule, (int)width[1], rule);
    for (size_t i = 0; i < d->len; i++) {
        _cleanup_free_ char *local = cell('-', d->rows[i].field, d->rows[i].local);
        _cleanup_free_ char *remote = cell('+', d->rows[i].field, d->rows[i].remote);

        faas_buf_printf(out, "  %-*s | %s\n", (int)width[0], local, remote);
    }
    faas_buf_append_c(out, '\n');
}

void cli_diff_deinit(struct cli_diff *d)
{
    for (size_t i = 0; i < d->len; i++) {
        free(d->rows[i].field);
        free(d->rows[i].local);
        free(d->rows[i].remote);
    }
    free(d->rows);
    *d = (struct cli_diff){0};
}
