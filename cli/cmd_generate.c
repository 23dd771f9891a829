#include "cli/commands.h"

#include "cli/deployment.h"
#include "cli/manifest.h"
#include "cli/out.h"
#include "cli/store.h"
#include "libfaas/alloc.h"

struct options {
    char *api;
    char *namespace_;
    char *tag;
    char *from_store;
    char *name;
    char *arch;
    struct faas_map annotations;
    struct faas_map labels;
    bool envsubst;
};

static const struct kind {
    const char *api;
    void (*write)(struct faas_buf *out, const struct cli_manifest *m);
} kinds[] = {
    {"openfaas.com/v1", cli_manifest_function},
    {"serving.knative.dev/v1", cli_manifest_knative},
};

static const char *const apis[] = {"openfaas.com/v1", "serving.knative.dev/v1", NULL};

static const struct cli_flag flags[] = {
    {.name = "api",
     .type = CLI_STRING,
     .at = offsetof(struct options, api),
     .dflt = "openfaas.com/v1",
     .arg = "VERSION",
     .choices = apis,
     .help = "what kind of objects"},
    {.name = "namespace",
     .letter = 'n',
     .type = CLI_STRING,
     .at = offsetof(struct options, namespace_),
     .dflt = FAAS_DEFAULT_NAMESPACE,
     .arg = "NAMESPACE",
     .help = "namespace of the objects"},
    CLI_ROW_TAG(struct options),
    {.name = "from-store",
     .type = CLI_STRING,
     .at = offsetof(struct options, from_store),
     .arg = "NAME",
     .help = "a function of the store instead of the stack file's"},
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct options, name),
     .arg = "NAME",
     .help = "another name for it (--from-store)"},
    {.name = "arch",
     .type = CLI_STRING,
     .at = offsetof(struct options, arch),
     .dflt = "x86_64",
     .arg = "PLATFORM",
     .help = "platform of its image (--from-store)"},
    {.name = "annotation",
     .type = CLI_PAIRS,
     .at = offsetof(struct options, annotations),
     .arg = "KEY=VALUE",
     .help = "annotation to add (--from-store)"},
    {.name = "label",
     .type = CLI_PAIRS,
     .at = offsetof(struct options, labels),
     .arg = "KEY=VALUE",
     .help = "label to add (--from-store)"},
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

static bool from_store(const struct options *o)
{
    return o->from_store && *o->from_store;
}

static void append(struct faas_buf *out, const struct options *o, struct faas_function_spec *spec)
{
    const struct cli_manifest m = {.api = o->api, .spec = spec, .empty_maps = from_store(o)};

    free(spec->namespace_);
    spec->namespace_ = faas_strdup(o->namespace_);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(kinds); i++)
        if (strcmp(o->api, kinds[i].api) == 0)
            kinds[i].write(out, &m);
}

static int by_name(const void *a, const void *b)
{
    const struct cli_function *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static int append_stack(struct faas_buf *out, const struct options *o,
                        const struct cli_stack *stack, struct faas_error *err)
{
    const struct cli_deploy_options from = {.tag = o->tag};
    _cleanup_free_ const struct cli_function **sorted =
        faas_alloc(stack->n_functions * sizeof(*sorted));

    for (size_t i = 0; i < stack->n_functions; i++)
        sorted[i] = &stack->functions[i];
    qsort(sorted, stack->n_functions, sizeof(*sorted), by_name);
    for (size_t i = 0; i < stack->n_functions; i++) {
        _cleanup_(faas_function_spec_deinit) struct faas_function_spec spec = {0};

        if (cli_deployment_from_function(sorted[i], &from, &spec, err) < 0)
            return -1;
        append(out, o, &spec);
    }
    return 0;
}

static int append_store(struct faas_buf *out, const struct options *o, struct faas_error *err)
{
    _cleanup_store_ struct cli_store store = {0};
    _cleanup_(faas_function_spec_deinit) struct faas_function_spec spec = {0};
    const struct cli_store_function *f;

    if (cli_store_load(&store, NULL, err) < 0)
        return -1;
    f = cli_store_find(&store, o->from_store, o->arch, err);
    if (!f || faas_json_get_map(f->json, "environment", &spec.env, err) < 0 ||
        faas_json_get_map(f->json, "labels", &spec.labels, err) < 0 ||
        faas_json_get_map(f->json, "annotations", &spec.annotations, err) < 0)
        return -1;
    spec.service = faas_strdup(o->name && *o->name ? o->name : f->name);
    spec.image = faas_strdup(cli_store_image(f, o->arch));
    spec.read_only_root = f->read_only;
    if (*f->fprocess)
        faas_map_set(&spec.env, "fprocess", f->fprocess);
    faas_map_merge(&spec.labels, &o->labels);
    faas_map_merge(&spec.annotations, &o->annotations);
    append(out, o, &spec);
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    int rc;

    if (from_store(o)) {
        rc = append_store(&text, o, err);
    } else {
        if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
            return -1;
        if (stack.n_functions == 0)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "there is no stack file to generate from; name one with --yaml, or a "
                             "function of the store with --from-store");
        rc = append_stack(&text, o, &stack, err);
    }
    if (rc < 0)
        return -1;
    faas_buf_append_c(&text, '\n');
    cli_write(faas_buf_str(&text));
    return 0;
}

const struct cli_command cli_cmd_generate = {
    .name = "generate",
    .summary = "Print functions as Kubernetes objects",
    .description = "Prints the functions of the stack file, or one of the store, as objects to "
                   "apply to a cluster. Nothing is deployed.",
    .example = "faas-cli generate > functions.yaml\n"
               "faas-cli generate --api serving.knative.dev/v1 --namespace default\n"
               "faas-cli generate --from-store figlet",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
