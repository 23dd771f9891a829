#include "cli/commands.h"

#include "cli/functions.h"
#include "cli/out.h"
#include "libfaas/alloc.h"

#include <time.h>

struct options {
    struct cli_connect connect;
    char *namespace_;
    int64_t attempts;
    int64_t interval_ms;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {.name = "attempts",
     .type = CLI_INT,
     .at = offsetof(struct options, attempts),
     .dflt = "60",
     .arg = "N",
     .help = "how often to ask"},
    {.name = "interval",
     .type = CLI_DURATION,
     .at = offsetof(struct options, interval_ms),
     .dflt = "1s",
     .arg = "DURATION",
     .help = "how long to wait in between"},
    {0},
};

/* Who is waited for, and how to ask whether the wait is over. */
struct target {
    const struct cli_client *client;
    const char *name; /* NULL: the gateway itself */
    const char *namespace_;
};

/* Each asks once: 1 is ready, 0 is not, with the reason in why; -1 is not worth another attempt. */
static int ask_gateway(const struct target *t, struct faas_error *why)
{
    /* A probe needs no credentials. */
    const struct cli_client c = {.gateway = t->client->gateway,
                                 .insecure_tls = t->client->insecure_tls,
                                 .timeout_ms = CLI_TIMEOUT_MS};
    const struct cli_call call = {.method = "GET", .path = "/healthz"};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(&c, &call, &resp, why) < 0)
        return 0;
    if (resp.status != 200)
        faas_fail(why, FAAS_ERR_UNAVAILABLE, "it answered with status %d", resp.status);
    return resp.status == 200;
}

static int ask_function(const struct target *t, struct faas_error *why)
{
    struct faas_function_status status = {0};
    int rc = cli_functions_get(t->client, t->name, t->namespace_, &status, why);
    bool ready = rc == 0 && status.available_replicas > 0;

    if (rc == 0 && !ready)
        faas_fail(why, FAAS_ERR_UNAVAILABLE, "%s",
                  status.reason ? status.reason : "it has no replica that takes calls");
    faas_function_status_deinit(&status);
    /* No wait makes wrong credentials right. */
    return rc < 0 && why->code == FAAS_ERR_UNAUTHORIZED ? -1 : ready;
}

static void nap(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&t, &t) < 0)
        ;
}

static int wait_until_ready(const struct target *t, const struct options *o, const char *what,
                            struct faas_error *err)
{
    struct faas_error why = {0};

    for (int64_t i = 1; i <= o->attempts; i++) {
        int ready;

        cli_print("[%lld/%lld] Waiting for %s\n", (long long)i, (long long)o->attempts, what);
        ready = t->name ? ask_function(t, &why) : ask_gateway(t, &why);
        if (ready < 0)
            return faas_fail(err, why.code, "%s", why.msg);
        if (ready)
            return 0;
        if (i < o->attempts)
            nap(o->interval_ms);
    }
    return faas_fail(err, FAAS_ERR_TIMEOUT, "%s at %s was not ready after %.1fs: %s", what,
                     t->client->gateway, (double)(o->attempts * o->interval_ms) / 1000, why.msg);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *ns = o->namespace_ && *o->namespace_ ? o->namespace_ : NULL;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *qualified = NULL;
    _cleanup_free_ char *what = NULL;
    struct target target = {.client = &client, .namespace_ = ns};

    if (o->attempts < 1 || o->attempts > 1000000 || o->interval_ms < 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "--attempts must be 1 or more, --interval not negative");
    if (cli_load_stack(cli, true, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    if (cli->args.len == 0) {
        if (wait_until_ready(&target, o, "gateway", err) < 0)
            return -1;
        cli_print("OpenFaaS gateway is ready\n");
        return 0;
    }
    target.name = cli->args.items[0];
    qualified = cli_qualified_name(target.name, ns);
    what = faas_asprintf("function %s", qualified);
    if (wait_until_ready(&target, o, what, err) < 0)
        return -1;
    cli_print("Function %s is ready\n", target.name);
    return 0;
}

const struct cli_command cli_cmd_ready = {
    .name = "ready",
    .args = "[NAME]",
    .max_args = 1,
    .summary = "Wait for the gateway or a function",
    .description = "Waits until a function has a replica that takes calls, or without a name until "
                   "the gateway answers.",
    .example = "faas-cli ready\n"
               "faas-cli ready hello-python --attempts 10 --interval 500ms",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)}, {flags, 0}},
    .run = run,
};
