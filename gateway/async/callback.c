#include "gateway/async/attempt.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/fetch.h"
#include "libfaas/version.h"

#include <stdlib.h>

enum {
    MAX_ANSWER = 64 * 1024, /* of the receiver; nobody looks at it */
    MAX_MOVES = 3,
};

/* Shared by the attempt and the pool thread; everything the thread reads is a copy. */
struct gw_callback {
    struct gw_attempt *attempt; /* NULL: forgotten. On the worker's loop only. */
    gw_callback_fn *done;
    char *url;
    char *agent;
    struct faas_strv headers;
    struct faas_buf body;
    int64_t timeout_ms;
    const struct gw_host_policy *policy; /* the gateway's */
    bool denied;                         /* what the name led to */
    int status;
    struct faas_error err;
    bool failed;
};

static void callback_free(struct gw_callback *c)
{
    free(c->url);
    free(c->agent);
    faas_strv_deinit(&c->headers);
    faas_buf_deinit(&c->body);
    free(c);
}

bool gw_callback_says(struct faas_str name)
{
    static const struct faas_str names[] = {
        FAAS_STR_INIT("X-Duration-Seconds"),
        FAAS_STR_INIT("X-Function-Status"),
        FAAS_STR_INIT("X-Function-Name"),
        FAAS_STR_INIT("X-Call-Id"),
        FAAS_STR_INIT("X-Retry"),
        FAAS_STR_INIT("X-Retry-Max"),
        FAAS_STR_INIT("User-Agent"),
        FAAS_STR_INIT("Host"),
        FAAS_STR_INIT("Expect"),
        FAAS_STR_INIT("X-Minnow-Signature"),
        FAAS_STR_INIT("X-Minnow-Truncated"),
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (faas_str_ieq(name, names[i]))
            return true;
    return false;
}

void gw_callback_seal(struct gw_attempt *a)
{
    faas_buf_printf(&a->headers, "X-Duration-Seconds: %.6f\r\nX-Retry: %lld\r\n", a->seconds,
                    (long long)a->ref.attempt - 1);
    if (a->truncated)
        faas_buf_append_z(&a->headers, "X-Minnow-Truncated: true\r\n");
}

static void add_lines(struct gw_callback *c, struct faas_str lines)
{
    while (lines.ptr) {
        struct faas_str line = faas_str_trim(faas_str_split(&lines, '\n'));

        if (line.len)
            faas_strv_addf(&c->headers, "%.*s", FAAS_STR_FMT(line));
    }
}

static void add_signature(struct gw_callback *c, const char *secret)
{
    char hex[65];

    if (!secret)
        return;
    faas_hmac_sha256_hex(faas_str_from(secret), faas_buf_str(&c->body), hex);
    faas_strv_addf(&c->headers, "X-Minnow-Signature: sha256=%s", hex);
}

static void add_headers(struct gw_callback *c, const struct gw_attempt *a)
{
    add_lines(c, faas_buf_str(&a->headers));
    faas_strv_addf(&c->headers, "X-Function-Status: %d", a->status ? a->status : 503);
    faas_strv_addf(&c->headers, "X-Function-Name: %s", a->function);
    faas_strv_addf(&c->headers, "X-Call-Id: %s", a->id);
    faas_strv_addf(&c->headers, "X-Retry-Max: %lld", (long long)a->policy.attempts - 1);
    add_signature(c, a->worker->gw->async->callback_secret);
}

/* The name was judged by its spelling; this is what it led to. */
static bool allow_addr(void *arg, const struct sockaddr *sa)
{
    struct gw_callback *c = arg;

    c->denied = !gw_host_policy_allows_addr(c->policy, sa);
    return !c->denied;
}

/* 307 and 308: the same to another place, if that is allowed, too. False: there is none. */
static bool follow(struct gw_callback *c, const struct faas_fetch_resp *resp)
{
    struct faas_str to = faas_str_from(faas_map_get(&resp->headers, "location"));
    struct faas_str host;
    _cleanup_free_ char *url = NULL;

    if ((resp->status != 307 && resp->status != 308) || !to.len)
        return false;
    url = gw_url_resolve(c->url, to);
    if (!gw_url_host(faas_str_from(url), &host) || !gw_host_policy_allows(c->policy, host))
        return false;
    free(c->url);
    c->url = faas_steal_ptr(&url);
    return true;
}

/* False: it goes on, at another place. */
static bool post(struct gw_callback *c)
{
    struct faas_fetch_resp resp = {0};
    bool moved;
    const struct faas_fetch_req req = {
        .method = "POST",
        .url = c->url,
        .headers = &c->headers,
        .body = faas_buf_str(&c->body),
        .timeout_ms = c->timeout_ms,
        .user_agent = c->agent,
        .max_body = MAX_ANSWER,
        .allow_addr = allow_addr,
        .arg = c,
    };

    c->denied = false;
    c->failed = faas_fetch(&req, &resp, &c->err) < 0 && c->err.code != FAAS_ERR_TOO_LARGE;
    c->status = c->failed ? 0 : resp.status ? resp.status : 200;
    moved = !c->failed && follow(c, &resp);
    faas_fetch_resp_deinit(&resp);
    return !moved;
}

static void run(void *arg)
{
    for (int i = 0; i <= MAX_MOVES && !post(arg); i++)
        ;
}

static void done(void *arg)
{
    struct gw_callback *c = arg;
    char why[200];
    struct faas_str host = FAAS_STR(""); /* alone: what follows it may be a secret */
    bool again =
        (c->failed && !c->denied) || c->status >= 500 || c->status == 408 || c->status == 429;

    gw_url_host(faas_str_from(c->url), &host);
    if (c->failed && c->denied)
        snprintf(why, sizeof(why), "callback_deny forbids the address of %.*s",
                 (int)FAAS_MIN(host.len, (size_t)140), host.ptr);
    else if (c->failed)
        snprintf(why, sizeof(why), "%.190s", c->err.msg);
    else
        snprintf(why, sizeof(why), "status %d%s", c->status,
                 c->status == 307 || c->status == 308 ? ", which leads nowhere it may go" : "");
    if (c->attempt)
        c->done(c->attempt, !c->failed && c->status < 300 ? NULL : why, again);
    callback_free(c);
}

static void drop(void *arg)
{
    callback_free(arg);
}

struct gw_callback *gw_callback_start(struct gw_attempt *a, gw_callback_fn *fn)
{
    struct gw_callback *c = faas_new(struct gw_callback);
    const struct faas_job job = {.run = run, .done = done, .drop = drop, .arg = c};

    c->attempt = a;
    c->done = fn;
    c->url = faas_strdup(a->callback);
    c->agent = faas_asprintf("queue-worker/%s", faas_version());
    c->policy = a->worker->gw->async->callbacks;
    c->timeout_ms = a->worker->gw->cfg->async.callback_timeout_ms;
    faas_buf_append_str(&c->body, faas_buf_str(&a->body));
    add_headers(c, a);
    if (faas_pool_submit(a->worker->gw->async->callers, a->worker->loop, &job, NULL) == 0)
        return c;
    callback_free(c);
    return NULL;
}

void gw_callback_forget(struct gw_callback *c)
{
    c->attempt = NULL;
}
