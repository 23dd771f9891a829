#include "gateway/flight.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <stdio.h>

struct record {
    char call_id[264];
    char function[136];
    char method[16];
    char path[128];
    char error[264];
    char instance[72];
    int status;
    int64_t at_ms;
    int64_t took_ns;
};

struct gw_flight {
    pthread_mutex_t lock;
    struct record *ring; /* untouched parts of it cost no memory */
    size_t keep, next;
};

struct gw_flight *gw_flight_new(size_t keep)
{
    struct gw_flight *f = faas_new(struct gw_flight);

    pthread_mutex_init(&f->lock, NULL);
    f->keep = keep;
    f->ring = faas_zalloc((keep + 1) * sizeof(*f->ring));
    return f;
}

void gw_flight_free(struct gw_flight *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f->ring);
    free(f);
}

static void keep_text(char *to, size_t size, struct faas_str s)
{
    size_t n = FAAS_MIN(s.len, size - 1);

    if (n)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

void gw_flight_record(struct gw_flight *f, const struct gw_request *r, int64_t took_ns)
{
    const struct faas_clock *clock = r->shard->gw->clock;
    struct record *c;

    if (f->keep == 0)
        return;
    pthread_mutex_lock(&f->lock);
    c = &f->ring[f->next];
    f->next = (f->next + 1) % f->keep;
    keep_text(c->call_id, sizeof(c->call_id), r->call_id);
    keep_text(c->function, sizeof(c->function), r->function);
    keep_text(c->method, sizeof(c->method), r->head->method);
    keep_text(c->path, sizeof(c->path), r->head->path);
    keep_text(c->error, sizeof(c->error), r->error);
    keep_text(c->instance, sizeof(c->instance), faas_str_from(r->instance));
    c->status = r->status;
    c->at_ms = clock->realtime_ns(clock->self) / 1000000;
    c->took_ns = took_ns;
    pthread_mutex_unlock(&f->lock);
}

static json_t *describe(const struct record *c)
{
    json_t *o = json_object();
    char at[40];
    time_t t = (time_t)(c->at_ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_object_set_new(o, "callId", faas_json_string(faas_str_from(c->call_id)));
    json_object_set_new(o, "function", faas_json_string(faas_str_from(c->function)));
    json_object_set_new(o, "method", faas_json_string(faas_str_from(c->method)));
    json_object_set_new(o, "path", faas_json_string(faas_str_from(c->path)));
    json_object_set_new(o, "status", json_integer(c->status));
    json_object_set_new(o, "error", faas_json_string(faas_str_from(c->error)));
    json_object_set_new(o, "instance", faas_json_string(faas_str_from(c->instance)));
    json_object_set_new(o, "at", json_string(at));
    json_object_set_new(o, "seconds", json_real((double)c->took_ns / 1e9));
    return o;
}

json_t *gw_flight_find(struct gw_flight *f, struct faas_str call_id)
{
    json_t *found = NULL;

    if (call_id.len == 0)
        return NULL; /* as free places have it */
    pthread_mutex_lock(&f->lock);
    for (size_t i = 1; i <= f->keep && !found; i++) {
        const struct record *c = &f->ring[(f->next + f->keep - i) % f->keep];

        if (faas_str_eqz(call_id, c->call_id))
            found = describe(c);
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

static void flight_handle(struct gw_request *r, const struct gw_action *self)
{
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_str id = {0};
    struct faas_error err;
    json_t *call = NULL;

    (void)self;
    if (faas_url_decode(faas_http_req_arena(r->http), r->match.params[0], &id))
        call = gw_flight_find(r->shard->gw->flight, id);
    if (!call) {
        faas_fail(&err, FAAS_ERR_NOT_FOUND,
                  "no failed call of that id is remembered: it went well, or it was too long ago "
                  "(flight_records), or another gateway had it");
        gw_reply_error(r, &err);
        return;
    }
    faas_json_write(&text, call, 0);
    faas_buf_append_c(&text, '\n');
    json_decref(call);
    gw_reply(r, 200, "application/json", faas_buf_str(&text));
}

const struct gw_action gw_flight_action = {.auth = GW_AUTH_BASIC, .handle = flight_handle};
