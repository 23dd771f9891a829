#include "gateway/request.h"

#include "gateway/access_log.h"
#include "gateway/flight.h"
#include "gateway/routes.h"
#include "libfaas/crypto.h"
#include "libfaas/json.h"

#define MAX_CALL_ID 256

/* A client's id is kept as it is, unless it could not stand in a header or would bloat every log.
 */
static void identify(struct gw_request *r)
{
    struct faas_str given =
        faas_http_value(r->head->headers, r->head->n_headers, FAAS_STR("X-Call-Id"));
    const struct faas_clock *clock = r->shard->gw->clock;

    r->start_ns = clock->monotonic_ns(clock->self);
    faas_format_u64((uint64_t)clock->realtime_ns(clock->self), r->start_time);
    if (given.len > 0 && given.len <= MAX_CALL_ID) {
        r->call_id = given;
        return;
    }
    char *id = faas_arena_alloc(faas_http_req_arena(r->http), 37);

    faas_uuid(id);
    r->call_id = (struct faas_str){id, 36};
    r->call_id_is_new = true;
}

static bool authorized(const struct gw_request *r, const struct gw_action *action)
{
    const struct faas_credentials *c = r->shard->gw->credentials;

    return action->auth == GW_AUTH_NONE || !c ||
           faas_basic_auth_check(
               c, faas_http_value(r->head->headers, r->head->n_headers, FAAS_STR("Authorization")));
}

static void refuse_unauthorized(struct gw_request *r)
{
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_UNAUTHORIZED, "invalid credentials; log in with: faas-cli login");
    gw_reply_error_with(r, &err, 401, "WWW-Authenticate", "Basic realm=\"Restricted\"");
}

static void refuse_route(struct gw_request *r, const struct faas_error *err, const char *allowed)
{
    if (err->code == FAAS_ERR_INVALID)
        gw_reply_error_with(r, err, 405, "Allow", allowed);
    else
        gw_reply_error(r, err);
}

/* Management reads decoded values as C strings: a NUL would cut them short, and act on another
 * name. */
static bool hides_a_nul(const struct gw_request *r, const struct gw_action *action)
{
    return action->auth == GW_AUTH_BASIC &&
           memmem(r->head->target.ptr, r->head->target.len, "%00", 3) != NULL;
}

static void refuse_nul(struct gw_request *r)
{
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_INVALID, "the path or the query holds a NUL (%%00)");
    gw_reply_error(r, &err);
}

void gw_request_start(void *shard, struct faas_http_req *http)
{
    struct gw_request *r = faas_arena_zalloc(faas_http_req_arena(http), sizeof(*r));
    struct faas_error err = {0};
    char allowed[64];

    r->shard = shard;
    r->http = http;
    r->head = faas_http_req_head(http);
    identify(r);
    /* Until a handler attaches itself, our own answers have somebody to finish them. */
    faas_http_req_attach(http, &gw_plain_ops, r);

    if (faas_router_match(gw_routes, gw_n_routes, r->head->method, r->head->path, &r->match,
                          allowed, &err) < 0) {
        refuse_route(r, &err, allowed);
        return;
    }
    const struct gw_action *action = r->match.route->handler;

    if (!authorized(r, action))
        refuse_unauthorized(r);
    else if (hides_a_nul(r, action))
        refuse_nul(r);
    else
        action->handle(r, action);
}

void gw_request_done(struct gw_request *r, const struct faas_error *err)
{
    const struct faas_clock *clock = r->shard->gw->clock;
    int64_t took_ns = clock->monotonic_ns(clock->self) - r->start_ns;

    if (err && !r->error.ptr)
        r->error = faas_str_from(err->msg);
    if (!r->status)
        r->status = 499; /* nothing was answered: the client left first */
    if (r->function.len && (r->status >= 400 || err))
        gw_flight_record(r->shard->gw->flight, r, took_ns);
    gw_routes_count(r, took_ns);
    if (r->shard->gw->cfg->access_log)
        gw_access_log(r, took_ns);
}

static void plain_done(void *arg, const struct faas_error *err)
{
    gw_request_done(arg, err);
}

const struct faas_http_req_ops gw_plain_ops = {.on_done = plain_done};

void gw_reply(struct gw_request *r, int status, const char *content_type, struct faas_str body)
{
    struct faas_http_header headers[] = {
        {FAAS_STR("X-Call-Id"), r->call_id},
        {FAAS_STR("Content-Type"), faas_str_from(content_type)},
    };

    r->status = status;
    r->bytes_out = body.len;
    faas_http_reply(r->http, status, headers, content_type ? 2 : 1, body);
}

static void append_member(struct faas_buf *out, const char *key, struct faas_str value)
{
    if (value.len == 0)
        return;
    faas_buf_append_z(out, out->len > 1 ? ",\"" : "\"");
    faas_buf_append_z(out, key);
    faas_buf_append_z(out, "\":\"");
    faas_json_escape(out, value);
    faas_buf_append_c(out, '"');
}

void gw_error_body(struct faas_buf *out, const struct gw_request *r, const struct faas_error *err)
{
    faas_buf_append_c(out, '{');
    append_member(out, "error", faas_str_from(err->msg));
    append_member(out, "code", faas_str_from(faas_code_name(err->code)));
    append_member(out, "component", FAAS_STR("gateway"));
    append_member(out, "function", r->function);
    append_member(out, "call_id", r->call_id);
    faas_buf_append_z(out, "}\n");
}

void gw_reply_error_with(struct gw_request *r, const struct faas_error *err, int status,
                         const char *name, const char *value)
{
    _cleanup_buf_ struct faas_buf body = {0};
    struct faas_http_header headers[6] = {
        {FAAS_STR("Content-Type"), FAAS_STR("application/json")},
        {FAAS_STR("X-OpenFaaS-Internal"), FAAS_STR("gateway")},
        {FAAS_STR("X-Call-Id"), r->call_id},
        {FAAS_STR("X-Start-Time"), faas_str_from(r->start_time)},
    };
    size_t n = 4;

    if (name)
        headers[n++] = (struct faas_http_header){faas_str_from(name), faas_str_from(value)};
    gw_error_body(&body, r, err);
    r->status = status;
    r->bytes_out = body.len;
    r->error = faas_arena_str(faas_http_req_arena(r->http), faas_str_from(err->msg));
    faas_http_reply(r->http, status, headers, n, faas_buf_str(&body));
}

void gw_reply_error(struct gw_request *r, const struct faas_error *err)
{
    gw_reply_error_with(r, err, faas_code_http_status(err->code), NULL, NULL);
}
