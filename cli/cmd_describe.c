#include "cli/commands.h"

#include "cli/functions.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "libfaas/alloc.h"

#include <math.h>

struct options {
    struct cli_connect connect;
    char *namespace_;
    char *name;
    bool envsubst;
    bool json;
    bool verbose;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {.name = "verbose",
     .letter = 'v',
     .type = CLI_BOOL,
     .at = offsetof(struct options, verbose),
     .help = "show empty sections too"},
    CLI_ROW_JSON(struct options),
    CLI_ROW_ENVSUBST(struct options),
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct options, name),
     .arg = "NAME",
     .help = "accepted for compatibility, not used"},
    {0},
};

/* What is shown: the status, and what follows from it and the gateway. */
struct view {
    struct faas_function_status status;
    bool verbose;
    char *url;
    char *async_url;
};

static const char *readiness(const struct view *v)
{
    return v->status.available_replicas > 0 ? "Ready" : "Not Ready";
}

enum { LABEL_WIDTH = 19 }; /* "Available Replicas:" */

static void FAAS_PRINTF(2, 3) row(const char *label, const char *fmt, ...)
{
    _cleanup_buf_ struct faas_buf value = {0};
    va_list ap;

    va_start(ap, fmt);
    faas_buf_vprintf(&value, fmt, ap);
    va_end(ap);
    cli_print("%-*s %s\n", LABEL_WIDTH, label, value.data ? value.data : "");
}

/* A section's heading; false when there is nothing to follow. */
static bool section(const struct view *v, const char *label, bool empty)
{
    if (!empty)
        cli_print("%s\n", label);
    else if (v->verbose)
        row(label, " <none>");
    return !empty;
}

static void print_map(const struct view *v, const char *label, const struct faas_map *map)
{
    if (section(v, label, map->len == 0))
        faas_map_for_each (map, e)
            cli_print(" %s: %s\n", e->key, e->value);
}

static void print_list(const struct view *v, const char *label, const struct faas_strv *list)
{
    if (section(v, label, list->len == 0))
        faas_strv_for_each(list, item) cli_print(" - %s\n", *item);
}

static void print_resources(const struct view *v, const char *label, const struct faas_resources *r)
{
    if (!section(v, label, !faas_resources_given(r)))
        return;
    if (r->cpu)
        cli_print(" CPU: %s\n", r->cpu);
    if (r->memory)
        cli_print(" Memory: %s\n", r->memory);
    faas_map_for_each (&r->devices, e)
        cli_print(" %s: %s\n", e->key, e->value);
}

static void print_usage(const struct view *v)
{
    const struct faas_function_status *s = &v->status;

    if (!(s->cpu_milli > 0) && !(s->memory_bytes > 0))
        return;
    cli_print("Usage:\n");
    cli_print("  RAM:  %.2f MB\n", s->memory_bytes / 1024 / 1024);
    cli_print("  CPU:  %.0f Mi\n", s->cpu_milli < 0 ? 1.0 : round(s->cpu_milli));
}

static void print_text(struct view *v)
{
    struct faas_function_status *s = &v->status;
    struct faas_function_spec *spec = &s->spec;

    row("Name:", "%s", spec->service ? spec->service : "");
    row("Status:", "%s", readiness(v));
    if (s->reason)
        row("Reason:", "%s", s->reason);
    row("Replicas:", "%llu", (unsigned long long)s->replicas);
    row("Available Replicas:", "%llu", (unsigned long long)s->available_replicas);
    row("Invocations:", "%.0f", s->invocation_count);
    row("Image:", "%s", spec->image ? spec->image : "");
    row("Function Process:", "%s", spec->env_process ? spec->env_process : "<default>");
    row("URL:", "%s", v->url);
    row("Async URL:", "%s", v->async_url);
    print_map(v, "Labels:", &spec->labels);
    print_map(v, "Annotations:", &spec->annotations);
    print_list(v, "Constraints:", &spec->constraints);
    print_map(v, "Environment:", &spec->env);
    print_list(v, "Secrets:", &spec->secrets);
    print_resources(v, "Requests:", &spec->requests);
    print_resources(v, "Limits:", &spec->limits);
    print_usage(v);
}

static void print_json(const struct view *v)
{
    _cleanup_json_ json_t *object = faas_function_status_to_json(&v->status);

    json_object_set_new(object, "Status", json_string(readiness(v)));
    json_object_set_new(object, "InvocationCount",
                        json_integer((json_int_t)v->status.invocation_count));
    json_object_set_new(object, "URL", json_string(v->url));
    json_object_set_new(object, "AsyncURL", json_string(v->async_url));
    cli_print_json(object);
}

/* The single function's answer may not count invocations; the list's does. */
static int add_invocations(const struct cli_client *c, const char *namespace_,
                           struct faas_function_status *s, struct faas_error *err)
{
    _cleanup_(faas_status_list_deinit) struct faas_status_list list = {0};

    if (cli_functions_list(c, namespace_, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.len; i++)
        if (list.items[i].spec.service && s->spec.service &&
            strcmp(list.items[i].spec.service, s->spec.service) == 0)
            s->invocation_count = list.items[i].invocation_count;
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *name = cli->args.items[0];
    const char *ns = o->namespace_ && *o->namespace_ ? o->namespace_ : NULL;
    _cleanup_free_ char *qualified = cli_qualified_name(name, ns);
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    struct view v = {.verbose = o->verbose};
    int rc = -1;

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    if (cli_functions_get(&client, name, ns, &v.status, err) == 0 &&
        add_invocations(&client, ns, &v.status, err) == 0) {
        v.url = faas_asprintf("%s/function/%s", client.gateway, qualified);
        v.async_url = faas_asprintf("%s/async-function/%s", client.gateway, qualified);
        if (o->json)
            print_json(&v);
        else
            print_text(&v);
        rc = 0;
    }
    free(v.url);
    free(v.async_url);
    faas_function_status_deinit(&v.status);
    return rc;
}

const struct cli_command cli_cmd_describe = {
    .name = "describe",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Describe a function",
    .description = "Shows what a function is made of, whether it is ready, and its URLs.",
    .example = "faas-cli describe hello-python\n"
               "faas-cli describe hello-python --json",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
