#include "cli/manifest.h"

#include "libfaas/yaml.h"

static void pair(struct faas_buf *out, int indent, const char *key, const char *value)
{
    faas_buf_printf(out, "%*s", indent, "");
    faas_yaml_scalar(out, key);
    faas_buf_append_z(out, ": ");
    faas_yaml_scalar(out, value ? value : "");
    faas_buf_append_c(out, '\n');
}

/* Keys in order. Nothing when it is empty, unless always. */
static void map(struct faas_buf *out, int indent, const char *key, const struct faas_map *m,
                bool always)
{
    _cleanup_map_ struct faas_map sorted = {0};

    if (m->len == 0 && always)
        faas_buf_printf(out, "%*s%s: {}\n", indent, "", key);
    if (m->len == 0)
        return;
    faas_map_copy(&sorted, m);
    faas_map_sort(&sorted);
    faas_buf_printf(out, "%*s%s:\n", indent, "", key);
    faas_map_for_each (&sorted, e)
        pair(out, indent + 2, e->key, e->value);
}

static void list(struct faas_buf *out, int indent, const char *key, const struct faas_strv *items)
{
    if (items->len == 0)
        return;
    faas_buf_printf(out, "%*s%s:\n", indent, "", key);
    faas_strv_for_each(items, item)
    {
        faas_buf_printf(out, "%*s- ", indent, "");
        faas_yaml_scalar(out, *item);
        faas_buf_append_c(out, '\n');
    }
}

/* Both keys, whichever was given. */
static void resources(struct faas_buf *out, const char *key, const struct faas_resources *r)
{
    if (!r->memory && !r->cpu)
        return;
    faas_buf_printf(out, "  %s:\n", key);
    pair(out, 4, "memory", r->memory);
    pair(out, 4, "cpu", r->cpu);
}

static void head(struct faas_buf *out, const struct cli_manifest *m, const char *kind)
{
    faas_buf_append_z(out, "---\n");
    pair(out, 0, "apiVersion", m->api);
    pair(out, 0, "kind", kind);
    faas_buf_append_z(out, "metadata:\n");
    pair(out, 2, "name", m->spec->service);
    pair(out, 2, "namespace", m->spec->namespace_);
}

void cli_manifest_function(struct faas_buf *out, const struct cli_manifest *m)
{
    const struct faas_function_spec *spec = m->spec;

    head(out, m, "Function");
    faas_buf_append_z(out, "spec:\n");
    pair(out, 2, "name", spec->service);
    pair(out, 2, "image", spec->image);
    map(out, 2, "environment", &spec->env, false);
    map(out, 2, "labels", &spec->labels, m->empty_maps);
    map(out, 2, "annotations", &spec->annotations, m->empty_maps);
    resources(out, "limits", &spec->limits);
    resources(out, "requests", &spec->requests);
    list(out, 2, "constraints", &spec->constraints);
    list(out, 2, "secrets", &spec->secrets);
    if (spec->read_only_root)
        faas_buf_append_z(out, "  readOnlyRootFilesystem: true\n");
}

static void knative_env(struct faas_buf *out, const struct faas_map *env)
{
    _cleanup_map_ struct faas_map sorted = {0};

    if (env->len == 0)
        return;
    faas_map_copy(&sorted, env);
    faas_map_sort(&sorted);
    faas_buf_append_z(out, "        env:\n");
    faas_map_for_each (&sorted, e) {
        faas_buf_append_z(out, "        - name: ");
        faas_yaml_scalar(out, e->key);
        faas_buf_append_c(out, '\n');
        pair(out, 10, "value", e->value);
    }
}

static void knative_mounts(struct faas_buf *out, const struct faas_strv *secrets)
{
    if (secrets->len > 0)
        faas_buf_append_z(out, "        volumeMounts:\n");
    faas_strv_for_each(secrets, name)
    {
        faas_buf_append_z(out, "        - name: ");
        faas_yaml_scalar(out, *name);
        faas_buf_printf(out,
                        "\n          mountPath: /var/openfaas/secrets/%s\n"
                        "          readOnly: true\n",
                        *name);
    }
}

static void knative_volumes(struct faas_buf *out, const struct faas_strv *secrets)
{
    if (secrets->len > 0)
        faas_buf_append_z(out, "      volumes:\n");
    faas_strv_for_each(secrets, name)
    {
        faas_buf_append_z(out, "      - name: ");
        faas_yaml_scalar(out, *name);
        faas_buf_append_z(out, "\n        secret:\n");
        pair(out, 10, "secretName", *name);
    }
}

void cli_manifest_knative(struct faas_buf *out, const struct cli_manifest *m)
{
    const struct faas_function_spec *spec = m->spec;

    head(out, m, "Service");
    map(out, 2, "annotations", &spec->annotations, false);
    faas_buf_append_z(out, "spec:\n"
                           "  template:\n"
                           "    spec:\n"
                           "      containers:\n"
                           "      - image: ");
    faas_yaml_scalar(out, spec->image);
    faas_buf_append_c(out, '\n');
    knative_env(out, &spec->env);
    knative_mounts(out, &spec->secrets);
    knative_volumes(out, &spec->secrets);
}
