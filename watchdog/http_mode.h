/* What the files of http mode share; nobody else includes this.
 *
 *   exec_http.c      the function's life: started, awaited, restarted, stopped
 *   http_forward.c   a call, to the function and back
 *   http_answer.c    how a call ends: our own answers, the log
 *
 * A call that comes before the function listens waits for it, for a while. */
#ifndef FAAS_WATCHDOG_HTTP_MODE_H
#define FAAS_WATCHDOG_HTTP_MODE_H

#include "libfaas/http_client.h"
#include "watchdog/executor.h"
#include "watchdog/upstream_child.h"
#include "watchdog/upstream_probe.h"
#include "watchdog/upstream_url.h"

struct wd_http {
    const struct wd_context *ctx;
    struct wd_upstream_url url;
    struct faas_addr addrs[FAAS_MAX_ADDRS];
    int n_addrs;
    char authority[64]; /* of an address that we chose the port of; else that of the URL holds */
    struct wd_upstream_child child;
    struct wd_upstream_probe probe;
    struct faas_upstream *upstream;
    const struct faas_addr *addr; /* where it listens; NULL: it does not */
    bool worth_waiting;           /* for a function that does not listen yet */
    struct faas_timer wait_timer; /* until it is not any more */
    struct faas_timer life_timer; /* the restart, or our own exit */
    int64_t started_ms;
    int64_t restart_delay_ms;
    bool leaving;
    bool stopping;
    bool told_to_end;     /* the function, by SIGTERM */
    bool warned_of_limit; /* of X-Timeout */
    int exit_status;
    struct faas_list calls;     /* struct wd_http_call by node */
    const struct wd_calls *all; /* these, and those that are still being answered; NULL: none yet */
    struct faas_buf scratch;
};

struct wd_http_call {
    struct faas_list node;
    struct wd_http *http;
    struct wd_call *call;
    struct faas_exchange *exchange; /* NULL: not yet, or over */
    struct faas_timer timer;        /* the limit while it waits */
    char *what;                     /* for the log; NULL: it is not logged */
    char *call_id;                  /* likewise; NULL: not to be shown */
    struct faas_buf body;           /* collected before it is sent */
    int64_t limit_ms;               /* for all of the call; 0: none */
    int64_t due_ms;
    bool limit_by_client; /* by X-Timeout */
    bool stream;          /* an answer that may go on for ever */
    bool upgrade;         /* asked for */
    bool tunnel;          /* a pair of byte streams since the function agreed to that */
    bool waiting;         /* for the function to listen */
    bool collecting;      /* the body */
    bool body_ended;
    bool client_done, function_ended; /* with their halves of a tunnel */
    bool replied;                     /* the function's head has gone on to the client */
    bool up_paused, down_paused;
    size_t up_backlog, down_backlog;
    char reason[32]; /* behind the status, as the function put it */
    int64_t length;  /* that it announced; -1: none */
    uint64_t bytes;  /* of its answer so far */
};

/* --- http_forward.c: what the executor's slots are --- */
void wd_http_handle(void *self, struct wd_call *call);
size_t wd_http_on_body(struct wd_call *call, struct faas_str data);
void wd_http_on_body_end(struct wd_call *call);
void wd_http_on_body_timeout(struct wd_call *call);
void wd_http_on_drain(struct wd_call *call);
void wd_http_on_client_gone(struct wd_call *call, const char *why);
void wd_http_release(struct wd_call *call);

/* Sends the calls that have waited for the function to listen. */
void wd_http_send_waiting(struct wd_http *http);

/* --- http_answer.c: the call is gone when they return --- */
/* Status 400, 500 or 504, if the answer has not begun; otherwise it is cut. */
void wd_http_fail(struct wd_http_call *c, int status);
/* The function's answer is complete. */
void wd_http_finish(struct wd_http_call *c);
/* Whatever was held for it is freed, and the call itself left alone. */
void wd_http_forget(struct wd_http_call *c);
/* All of them (or those that wait) get 500. */
void wd_http_fail_all(struct wd_http *http, bool only_waiting);
/* "GET /x - 200 OK - ContentLength: 244B (0.0007s)" */
void wd_http_log(const struct wd_http_call *c, int status);

#endif
