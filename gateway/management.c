#include "gateway/management.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Shared by the request and the job, both on the same loop except for run(). */
struct call {
    struct gw_management m;
    const struct gw_management_call *def;
    struct gw_request *r; /* NULL once the client is gone */
    bool running;         /* the job will free it */
    bool refused;         /* answered already: the rest of the body is dropped */
    struct faas_buf text; /* JSON body */
    uint64_t spooled;
    struct faas_error err;
    int rc;
};

static void free_call(struct call *c)
{
    json_decref(c->m.body);
    if (c->m.body_fd >= 0)
        close(c->m.body_fd);
    /* Secrets pass through here. */
    if (c->text.data)
        explicit_bzero(c->text.data, c->text.len);
    faas_buf_deinit(&c->text);
    faas_buf_deinit(&c->m.reply);
    faas_arena_deinit(&c->m.arena);
    free(c);
}

static void refuse(struct call *c, const struct faas_error *err)
{
    int status = faas_code_http_status(err->code);

    if (err->code == FAAS_ERR_INVALID && c->def->error_status)
        status = c->def->error_status;
    c->refused = true;
    gw_reply_error_with(c->r, err, status, NULL, NULL);
}

static int parse_body(struct call *c)
{
    if (!c->def->json_body)
        return 0;
    c->m.body = faas_json_parse(faas_buf_str(&c->text), &c->err);
    if (!c->m.body)
        return faas_error_wrap(&c->err, "request body");
    if (!json_is_object(c->m.body))
        return faas_fail(&c->err, FAAS_ERR_INVALID, "request body: not a JSON object");
    return 0;
}

static void run(void *arg)
{
    struct call *c = arg;

    c->rc = parse_body(c);
    if (c->rc == 0)
        c->rc = c->def->run(&c->m, &c->err);
}

static void log_outcome(const struct call *c)
{
    const struct faas_log *log = &c->m.gw->log;

    if (c->rc < 0)
        faas_log_warn(log, "management call failed after its client had left", FAAS_F_ERR(&c->err));
}

static void done(void *arg)
{
    struct call *c = arg;

    c->running = false;
    if (!c->r) {
        log_outcome(c);
        free_call(c);
    } else if (c->rc < 0) {
        refuse(c, &c->err);
    } else {
        gw_reply(c->r, c->m.status ? c->m.status : 200,
                 c->m.reply.len > 0 && !c->m.content_type ? "application/json" : c->m.content_type,
                 faas_buf_str(&c->m.reply));
    }
}

static void drop(void *arg)
{
    struct call *c = arg;

    c->running = false;
    if (!c->r)
        free_call(c);
}

static void submit(struct call *c)
{
    struct faas_error err;

    c->running = true;
    if (faas_pool_submit(c->m.gw->pool, c->r->shard->loop, &(struct faas_job){run, done, drop, c},
                         &err) < 0) {
        c->running = false;
        faas_error_wrap(&err, "too many management calls at a time");
        refuse(c, &err);
    }
}

static int collect(struct call *c, struct faas_str data, struct faas_error *err)
{
    const struct gw_config *cfg = c->m.gw->cfg;

    if (c->def->spool) {
        c->spooled += data.len;
        if (c->spooled > (uint64_t)cfg->max_image_size)
            return faas_fail(err, FAAS_ERR_TOO_LARGE,
                             "the image is larger than max_image_size=%lld",
                             (long long)cfg->max_image_size);
        if (faas_write_all(c->m.body_fd, data.ptr, data.len, err) < 0)
            return faas_error_wrap(err, "cannot store the image in %s", cfg->state_dir);
        return 0;
    }
    if (!c->def->json_body)
        return 0;
    if (c->text.len + data.len > (size_t)cfg->max_request_object)
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "the body is larger than max_request_object=%lld",
                         (long long)cfg->max_request_object);
    faas_buf_append_str(&c->text, data);
    return 0;
}

static size_t on_body(void *arg, struct faas_str data)
{
    struct call *c = arg;
    struct faas_error err;

    c->r->bytes_in += data.len;
    if (!c->refused && collect(c, data, &err) < 0)
        refuse(c, &err);
    return data.len;
}

static void on_body_end(void *arg)
{
    struct call *c = arg;

    if (!c->refused && !c->running)
        submit(c);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct call *c = arg;

    gw_request_done(c->r, err);
    c->r = NULL;
    if (!c->running)
        free_call(c);
}

static const struct faas_http_req_ops ops = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_done = on_done,
};

/* The request's memory ends with the request; the work may go on longer. */
static void copy_request(struct call *c, const struct gw_request *r)
{
    c->m.query = faas_arena_str(&c->m.arena, r->head->query);
    for (size_t i = 0; i < FAAS_ROUTE_PARAMS; i++) {
        if (!r->match.params[i].ptr)
            break;
        if (!faas_url_decode(&c->m.arena, r->match.params[i], &c->m.params[i]))
            c->m.params[i] = faas_arena_str(&c->m.arena, r->match.params[i]);
    }
}

void gw_management_handle(struct gw_request *r, const struct gw_action *self)
{
    struct call *c = faas_new(struct call);
    struct faas_error err;

    c->def = self->detail;
    c->r = r;
    c->m.gw = r->shard->gw;
    c->m.body_fd = -1;
    copy_request(c, r);
    faas_http_req_attach(r->http, &ops, c);

    if (c->def->spool) {
        faas_http_req_no_read_timeout(r->http);
        c->m.body_fd = open(c->m.gw->cfg->state_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (c->m.body_fd < 0) {
            faas_fail_errno(&err, FAAS_ERR_UNAVAILABLE, errno, "cannot store the image in %s",
                            c->m.gw->cfg->state_dir);
            refuse(c, &err);
        }
    }
}

const char *gw_management_query(struct gw_management *m, const char *key)
{
    struct faas_str value;

    if (!faas_query_get(&m->arena, m->query, faas_str_from(key), &value) || value.len == 0)
        return NULL;
    return faas_arena_strndup(&m->arena, value.ptr, value.len);
}

const char *gw_management_param(struct gw_management *m, size_t i)
{
    return faas_arena_strndup(&m->arena, m->params[i].ptr, m->params[i].len);
}

int gw_management_namespace(struct gw_management *m, const char **ns, struct faas_error *err)
{
    char *given = NULL;

    *ns = gw_management_query(m, "namespace");
    if (!m->body)
        return 0;
    if (faas_json_get_string(m->body, "namespace", &given, err) < 0)
        return -1;
    if (given && given[0])
        *ns = faas_arena_strndup(&m->arena, given, strlen(given));
    free(given);
    return 0;
}

void gw_management_reply_json(struct gw_management *m, json_t *value)
{
    faas_json_write(&m->reply, value, 0);
    faas_buf_append_c(&m->reply, '\n');
    json_decref(value);
}
