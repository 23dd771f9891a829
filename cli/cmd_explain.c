#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "cli/url.h"
#include "libfaas/api_types.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_JSON(struct options),
    {0},
};

/* 1: answered, 0: not known there, -1: failed. */
static int ask(const struct cli_client *client, const char *path, json_t **out,
               struct faas_error *err)
{
    const struct cli_call call = {.method = "GET", .path = path};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(client, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 404 || resp.status == 501)
        return 0;
    if (resp.status != 200)
        return cli_client_refuse(client, &resp, err);
    *out = faas_json_parse(faas_buf_str(&resp.body), err);
    return *out ? 1 : faas_error_wrap(err, "cannot read the gateway's answer");
}

/* What a watchdog says in the function's name. */
static const char *watchdogs_reason(int status)
{
    if (status == 408)
        return ", which its watchdog gives when exec_timeout is over";
    return status == 500 ? ", which its watchdog gives when the program fails" : "";
}

/* function is NAME.NAMESPACE. */
static void point_to_logs(const char *function)
{
    const char *namespace_ = strchr(function, '.');
    int len = (int)strcspn(function, ".");

    if (namespace_ && strcmp(namespace_ + 1, FAAS_DEFAULT_NAMESPACE) != 0)
        cli_print("See what it said: faas-cli logs %.*s --namespace %s --tail=false\n", len,
                  function, namespace_ + 1);
    else
        cli_print("See what it said: faas-cli logs %.*s --tail=false\n", len, function);
}

static void explain_call(const json_t *call)
{
    const char *error = cli_json_text(call, "error"), *function = cli_json_text(call, "function");
    const char *instance = cli_json_text(call, "instance");
    int status = (int)json_integer_value(faas_json_get(call, "status"));

    cli_print("%s %s of %s, at %s, ended with %d after %.3f seconds%s%s.\n",
              cli_json_text(call, "method"), cli_json_text(call, "path"), function,
              cli_json_text(call, "at"), status, json_number_value(faas_json_get(call, "seconds")),
              *instance ? " in replica " : "", instance);
    if (*error)
        cli_print("Why: %s.\n", error);
    else
        cli_print("Why: that was the function's own answer%s.\n", watchdogs_reason(status));
    point_to_logs(function);
}

static void explain_attempt(const json_t *attempt)
{
    const char *why = cli_json_text(attempt, "why");
    long long n = json_integer_value(faas_json_get(attempt, "attempt"));
    long long status = json_integer_value(faas_json_get(attempt, "status"));
    double seconds = json_number_value(faas_json_get(attempt, "seconds"));

    if (status)
        cli_print("Attempt %lld was answered with %lld after %.3f seconds.\n", n, status, seconds);
    else
        cli_print("Attempt %lld got no answer within %.3f seconds%s%s.\n", n, seconds,
                  *why ? ": " : "", why);
}

static void explain_end(const json_t *call)
{
    const char *state = cli_json_text(call, "state"), *callback = cli_json_text(call, "callback");
    const char *queue = cli_json_text(call, "queue");

    if (strcmp(state, "dead") == 0)
        cli_print("It was given up (com.openfaas.retry.attempts, com.openfaas.retry.codes). "
                  "Try again: faas-cli queue redrive %s --id %s\n",
                  queue, cli_json_text(call, "callId"));
    else if (strcmp(state, "done") == 0)
        cli_print("It is done: faas-cli async result %s\n", cli_json_text(call, "callId"));
    else if (strcmp(state, "delayed") == 0)
        cli_print("It waits for its time: %s.\n", cli_json_text(call, "dueAt"));
    else
        cli_print("It is %s, in queue %s.\n", state, queue);
    if (*callback)
        cli_print("Its callback: %s.\n", callback);
}

static void explain_async(const json_t *call)
{
    const json_t *attempt;
    size_t i;

    cli_print("An asynchronous call of %s, queued at %s.\n", cli_json_text(call, "function"),
              cli_json_text(call, "submittedAt"));
    json_array_foreach(faas_json_get(call, "history"), i, attempt) explain_attempt(attempt);
    explain_end(call);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *id = cli->args.items[0];
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_free_ char *async_path = cli_async_path(id, "");
    _cleanup_json_ json_t *async = NULL;
    _cleanup_json_ json_t *call = NULL;

    faas_buf_append_z(&path, "/system/calls/");
    cli_url_escape(&path, faas_str_from(id));
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        ask(&client, async_path, &async, err) < 0 || ask(&client, path.data, &call, err) < 0)
        return -1;
    if (!async && !call)
        return faas_fail(err, FAAS_ERR_NOT_FOUND,
                         "Nothing is known of %.60s: it went well, or no function had that name, "
                         "or it was too long ago (flight_records), or another gateway had it. The "
                         "access log has every call: look for this id there",
                         id);
    if (o->json)
        cli_print_json(async ? async : call);
    else if (async)
        explain_async(async);
    else
        explain_call(call);
    return 0;
}

const struct cli_command cli_cmd_explain = {
    .name = "explain",
    .args = "CALL-ID",
    .min_args = 1,
    .max_args = 1,
    .summary = "Say why a call failed",
    .description = "Every answer carries its call's id (X-Call-Id). The gateway remembers the last "
                   "calls that failed, and asynchronous calls with every attempt; this tells what "
                   "became of one, and why.",
    .example = "faas-cli explain 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
