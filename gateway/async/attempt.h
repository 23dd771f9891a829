/* One attempt at one queued call: started, made, recorded, its callback delivered. */
#ifndef FAAS_GATEWAY_ASYNC_ATTEMPT_H
#define FAAS_GATEWAY_ASYNC_ATTEMPT_H

#include "gateway/async/direct.h"
#include "gateway/async/worker.h"

struct gw_attempt {
    struct faas_list node; /* in worker->attempts */
    struct gw_worker *worker;
    struct gw_attempt_ref ref;
    struct gw_served_queue *queue;
    char *entry, *id, *function, *callback;
    struct gw_fn_limit *limit; /* the function's place that it has */
    struct gw_retry_policy policy;
    struct faas_exchange *exchange; /* with the front door; NULL: none runs */
    struct gw_direct *direct;       /* or with the function; NULL: none runs */
    bool has_place;                 /* it is one of worker->n_calling */
    int64_t started_ms, began_ns;   /* Unix time, and what its length is measured by */
    enum { GW_STARTING, GW_CALLING, GW_RECORDING, GW_CALLING_BACK } step;
    bool has_more;  /* as in gw_outcome */
    bool cancelled; /* wanted by somebody */
    bool lost;      /* another worker has it */
    /* the answer */
    int status; /* 0: none */
    bool ours;  /* the platform's, not the function's */
    bool truncated;
    int64_t retry_after_ms;
    struct faas_buf headers; /* "Name: value\r\n"… */
    struct faas_buf body;
    char why[160]; /* there is no answer */
    double seconds;
    /* the callback */
    bool is_called_back;           /* it is one of worker->n_calling_back */
    struct gw_callee *callee;      /* whose it is */
    struct faas_list waiting_node; /* in callee->waiting */
    unsigned callbacks;
    struct faas_timer timer; /* next try, of whatever step */
    struct gw_callback *calling_back;
};

/* again: it was claimed from another. Gives the function's place back to the worker when it is
 * over. */
void gw_attempt_begin(struct gw_worker *w, struct gw_served_queue *queue, const struct gw_entry *e,
                      bool again);
bool gw_attempt_runs(struct gw_worker *w, struct faas_str entry);
/* Says that it is still ours. */
void gw_attempt_renew(struct gw_attempt *a);
/* Nothing is left but the callback, and that not before its next try is due. */
bool gw_attempt_rests(const struct gw_attempt *a);
/* Forgets it where it stands; its entry stays as it is. */
void gw_attempt_abandon(struct gw_attempt *a);

/* --- callback.c --- */
struct gw_callback;
/* Not a header of the function's that it is to be told: we say it, or it means another thing in a
 * request than in an answer (whom it is for, what it waits for). */
bool gw_callback_says(struct faas_str name);
/* Adds to the answer's headers what only the worker that made the call knows, so that another that
 * has to call back in its place says the same. */
void gw_callback_seal(struct gw_attempt *a);
/* Tries once, on a pool thread; done() is called on the worker's loop with NULL or the reason why
 * it has to be tried again, or, when again is false, need not be. */
typedef void gw_callback_fn(struct gw_attempt *a, const char *failure, bool again);
struct gw_callback *gw_callback_start(struct gw_attempt *a, gw_callback_fn *done);
/* Nobody waits for it any more. */
void gw_callback_forget(struct gw_callback *c);

#endif
