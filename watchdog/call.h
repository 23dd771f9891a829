/* One request to the function, from its head until both the client and the
 * executor are through with it. Counts it, holds its slot, watches its deadlines. */
#ifndef FAAS_WATCHDOG_CALL_H
#define FAAS_WATCHDOG_CALL_H

#include "libfaas/http_server.h"
#include "watchdog/jwt_auth.h"
#include "watchdog/limiter.h"
#include "watchdog/stats.h"

struct wd_executor_ops;

/* All requests to one function. */
struct wd_calls {
    struct faas_loop *loop;
    const struct wd_executor_ops *ops; /* of the executor */
    void *executor;
    struct wd_stats *stats;
    struct wd_log *log;
    struct wd_jwt_auth *auth; /* NULL: everybody may call */
    struct wd_limiter limiter;
    int64_t read_timeout_ms; /* for bodies; 0: none */
    int64_t write_timeout_ms;
    uint64_t max_body_size; /* 0: no limit */
    uint64_t count;
};

struct wd_call {
    struct wd_calls *calls;
    struct faas_http_req *req;         /* NULL: the client has its reply or has left */
    const struct faas_http_head *head; /* what the function is asked; NULL when req is */
    void *data;                        /* the executor's */
    bool held;                         /* by the executor, or not yet admitted */
    bool admitted;                     /* the executor has been told of it */
    bool has_slot;
    bool upgraded; /* what comes is no body any more */
    bool half_closed;
    const char *cut; /* why we cut it off; NULL: we did not */
    bool is_probe;   /* by way of ready_path: not counted, not limited */
    bool by_progress;
    int status; /* 0: not yet known */
    const char *method_label;
    int64_t started_ns;
    int64_t head_ms;
    uint64_t body_bytes;
    bool body_paused; /* until it is admitted */
    bool body_ended;  /* before it was */
    struct wd_jwt_check check;
    struct faas_timer body_timer;
    struct faas_timer reply_timer;
};

/* Takes a request whose head is there: to the executor, or answers it (401, 403, 429, 413). Who it
 * comes from is looked at first, so that nobody takes a slot who may not call at all. */
void wd_calls_take(struct wd_calls *calls, struct faas_http_req *req);
/* A readiness probe, made of req: the executor gets GET path with req's headers and no body,
 * beside limits and metrics. */
void wd_calls_probe(struct wd_calls *calls, struct faas_http_req *req, struct faas_str path);

/* The executor's answer, and the last that it has to do with the call, which may be freed by it.
 * The body's memory is taken; NULL: none. Nothing is sent when the client has left; the status
 * counts in the metrics all the same. */
void wd_call_finish(struct wd_call *call, int status, const struct faas_http_header *headers,
                    size_t n, struct faas_buf *body);

/* The answer in pieces: begin, write…, and end or abort, which give the call up as
 * wd_call_finish() does. When the client has left they do nothing, except that the status counts.
 * length -1: unknown. */
void wd_call_begin(struct wd_call *call, int status, const struct faas_http_header *headers,
                   size_t n, int64_t length);
/* Copies; returns what is not yet sent. Above FAAS_HTTP_HIGH_WATER stop until on_drain. */
size_t wd_call_write(struct wd_call *call, struct faas_str data);
void wd_call_end(struct wd_call *call);
/* The answer is incomplete: what was written of it goes out, and then the connection is cut, so
 * that the client can tell. status is what the metrics count. */
void wd_call_abort(struct wd_call *call, int status);

/* From now on write_timeout is how long the client may take nothing, instead of the time for the
 * whole answer: for files and streams of any length. */
void wd_call_judge_by_progress(struct wd_call *call);

/* In place of an answer: 101, by the rules of faas_http_reply_upgrade(). What the client sends goes
 * to on_body and on_body_end as before, wd_call_write() sends raw. -1: refused, and nothing has
 * been answered. */
FAAS_NODISCARD int wd_call_upgrade(struct wd_call *call, const struct faas_http_header *headers,
                                   size_t n, struct faas_error *err);
/* Nothing more goes to the client, which may still say something; the call goes on. */
void wd_call_half_close(struct wd_call *call);

/* The function has been given limit_ms. When write_timeout would cut the connection just before
 * the answer to that, the answer gets a second more. */
void wd_call_expect_within(struct wd_call *call, int64_t limit_ms);

double wd_call_seconds(const struct wd_call *call); /* since its head came */
/* Of a body that did not come in time, in the words that users know: "read tcp 10.0.0.7:51234: i/o
 * timeout". In the request's memory. */
const char *wd_call_timeout_text(const struct wd_call *call);

#endif
