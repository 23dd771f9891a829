#include "cli/commands.h"

#include "cli/gateway_url.h"
#include "cli/invocation.h"
#include "cli/out.h"
#include "cli/stdin.h"
#include "libfaas/alloc.h"
#include "libfaas/version.h"

#include <errno.h>
#include <strings.h>
#include <sys/utsname.h>

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct cli_invoke_options),
    {.name = "method",
     .letter = 'm',
     .type = CLI_STRING,
     .at = offsetof(struct cli_invoke_options, method),
     .dflt = "POST",
     .arg = "METHOD",
     .help = "GET, POST, PUT, PATCH or DELETE"},
    {.name = "content-type",
     .type = CLI_STRING,
     .at = offsetof(struct cli_invoke_options, content_type),
     .arg = "TYPE",
     .shown_default = "text/plain",
     .help = "content type of the body"},
    {.name = "query",
     .type = CLI_LIST,
     .at = offsetof(struct cli_invoke_options, query),
     .arg = "KEY=VALUE",
     .help = "query parameter"},
    {.name = "header",
     .letter = 'H',
     .type = CLI_LIST,
     .at = offsetof(struct cli_invoke_options, headers),
     .arg = "'Key: Value'",
     .help = "header of the request"},
    {.name = "async",
     .letter = 'a',
     .type = CLI_BOOL,
     .at = offsetof(struct cli_invoke_options, async),
     .help = "queue the call and do not wait for its result"},
    {.name = "sign",
     .type = CLI_STRING,
     .at = offsetof(struct cli_invoke_options, sign),
     .arg = "HEADER",
     .help = "header to put the body's signature in, needs --key"},
    {.name = "key",
     .type = CLI_STRING,
     .at = offsetof(struct cli_invoke_options, key),
     .arg = "KEY",
     .help = "key to sign the body with (HMAC-SHA256), needs --sign"},
    CLI_ROW_ENVSUBST(struct cli_invoke_options),
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct cli_invoke_options, name),
     .arg = "NAME",
     .help = "accepted for compatibility, not used"},
    {0},
};

/* The answer as it comes: a good one goes straight to stdout, any other is kept to be quoted. */
struct answer {
    int status;
    struct faas_buf kept;
};

enum { MAX_QUOTED = 1 << 20 };

static bool is_good(int status)
{
    return status >= 200 && status < 300;
}

static void take_status(void *arg, int status)
{
    struct answer *a = arg;

    a->status = status;
}

static int take_body(void *arg, struct faas_str data)
{
    struct answer *a = arg;

    if (!is_good(a->status)) {
        if (a->kept.len + data.len <= MAX_QUOTED)
            faas_buf_append_str(&a->kept, data);
        return 0;
    }
    cli_write(data);
    return fflush(stdout) == 0 ? 0 : -1;
}

/* The id is all that the caller will have of the call. */
static void tell_submitted(const char *call_id)
{
    cli_note("Function submitted asynchronously.\n");
    if (call_id)
        cli_note("Call id: %s (faas-cli async status %s)\n", call_id, call_id);
}

static int tell(const struct cli_invoke_options *o, const struct answer *a, const char *call_id,
                struct faas_error *err)
{
    _cleanup_free_ char *reason = NULL;
    _cleanup_free_ char *text = NULL;

    if (is_good(a->status)) {
        if (o->async && a->status == 202)
            tell_submitted(call_id);
        return 0;
    }
    reason = cli_reason(faas_buf_str(&a->kept));
    text = faas_asprintf("server returned unexpected status code: %d - %s", a->status, reason);
    cli_print_error(text);
    return cli_fail_told(err);
}

static char *user_agent(void)
{
    struct utsname u = {0};
    const char *arch;

    uname(&u);
    arch = strcmp(u.machine, "x86_64") == 0    ? "amd64"
           : strcmp(u.machine, "aarch64") == 0 ? "arm64"
                                               : u.machine;
    return faas_asprintf("faas-cli/%s (openfaas; linux; %s)", faas_version(), arch);
}

static int call(const struct cli_invoke_options *o, const struct cli_invocation *inv,
                const char *gateway, struct faas_error *err)
{
    _cleanup_free_ char *agent = user_agent();
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    struct answer answer = {0};
    /* A GET with a body, be it an empty one, is not redirected. */
    struct faas_str body = inv->body.len == 0 && strcmp(o->method, "GET") == 0
                               ? (struct faas_str){0}
                               : faas_buf_str(&inv->body);
    const struct faas_fetch_req req = {.method = o->method,
                                       .url = inv->url.data,
                                       .headers = &inv->headers,
                                       .body = body,
                                       .timeout_ms = CLI_TIMEOUT_MS,
                                       .insecure_tls = o->connect.tls_no_verify,
                                       .user_agent = agent,
                                       .max_redirects = 10,
                                       .sink = take_body,
                                       .on_status = take_status,
                                       .arg = &answer};
    int rc = faas_fetch(&req, &resp, err);

    answer.status = resp.status ? resp.status : answer.status;
    if (rc == 0)
        rc = tell(o, &answer, faas_map_get(&resp.headers, "x-call-id"), err);
    else if (err->code == FAAS_ERR_UNAVAILABLE ||
             (err->code == FAAS_ERR_BAD_GATEWAY && answer.status == 0))
        rc = cli_unreachable(gateway, err);
    faas_buf_deinit(&answer.kept);
    return rc;
}

static int check_method(const char *method, struct faas_error *err)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "flag --method: \"%s\" is none of GET, POST, PUT, PATCH and DELETE", method);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_invoke_options *o = options;
    const char *name = cli->args.items[0];
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_free_ char *gateway = NULL;
    _cleanup_(cli_invocation_deinit) struct cli_invocation inv = {0};

    if (check_method(o->method, err) < 0 || cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    gateway = cli_connect_gateway(&o->connect, &stack, err);
    /* Nobody types a body first, to be told then that a flag is wrong. */
    if (!gateway || cli_invocation_build(&inv, o, &stack, gateway, name, err) < 0 ||
        cli_read_stdin(&inv.body, SIZE_MAX, err) < 0)
        return -1;
    cli_invocation_sign(&inv, o);
    return call(o, &inv, gateway, err);
}

const struct cli_command cli_cmd_invoke = {
    .name = "invoke",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Invoke a function",
    .description = "Calls a function with what standard input holds as the request's body, and "
                   "prints the answer's body as it comes.",
    .example = "echo Ada | faas-cli invoke hello-python\n"
               "faas-cli invoke hello-node --query shout=1 -H 'X-Colour: blue' < /dev/null\n"
               "echo '{}' | faas-cli invoke hello-python --async --content-type application/json",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct cli_invoke_options),
    .flags = {{cli_gateway_flags, offsetof(struct cli_invoke_options, connect)}, {flags, 0}},
    .run = run,
};
