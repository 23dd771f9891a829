/* What the two ways to fetch share; nobody else's. curl does everything; "plain" does what most
 * calls of a command line are, http to an address, without the milliseconds that loading curl
 * costs. */
#ifndef FAAS_FETCH_IMPL_H
#define FAAS_FETCH_IMPL_H

#include "libfaas/fetch.h"

#include <sys/types.h>

#define FAAS_FETCH_CONNECT_MS  30000
#define FAAS_FETCH_MAX_HEADERS 1000 /* of an answer */

/* Why we ended a call. */
enum faas_fetch_verdict {
    FAAS_FETCH_GOES_ON,
    FAAS_FETCH_SINK_REFUSED,
    FAAS_FETCH_BODY_TOO_LARGE,
    FAAS_FETCH_TOO_MANY_HEADERS,
    FAAS_FETCH_BODY_UNREADABLE,
};

/* A call on its way to an answer. */
struct faas_fetch_call {
    const struct faas_fetch_req *req;
    struct faas_fetch_resp *resp;
    char *host; /* "name:port", for people */
    off_t sent; /* of body_fd */
    off_t to_send;
    bool status_told;
    enum faas_fetch_verdict verdict;
    int body_errno;
};

int64_t faas_fetch_connect_ms(const struct faas_fetch_req *req);
bool faas_fetch_is_this_machine(const char *host);
/* HTTP_PROXY, which curl leaves alone because a CGI program's clients can set it; NULL in such a
 * program, where there is none, and where http_proxy says otherwise. */
const char *faas_fetch_http_proxy(void);
/* INVALID for what is no method. */
FAAS_NODISCARD int faas_fetch_check_method(const char *method, struct faas_error *err);
/* line is "Name: value"; *name views it. Errors name names only, since values may be secret. */
FAAS_NODISCARD int faas_fetch_check_header(const char *line, struct faas_str *name,
                                           struct faas_error *err);
bool faas_fetch_expects_body(const char *method);
/* Finds out how long body_fd is. */
FAAS_NODISCARD int faas_fetch_size_body(struct faas_fetch_call *c, struct faas_error *err);
/* Reads on in body_fd, by offset: the descriptor's own position is somebody else's. Negative: the
 * verdict says why. */
ssize_t faas_fetch_read_body(struct faas_fetch_call *c, void *to, size_t max);
void faas_fetch_keep_header(struct faas_fetch_call *c, struct faas_str name, struct faas_str value);
void faas_fetch_tell_status(struct faas_fetch_call *c);
/* Hands a piece of body on. False: the verdict says why not. */
bool faas_fetch_take_body(struct faas_fetch_call *c, struct faas_str data);
/* The error that a verdict is. Always -1. */
int faas_fetch_judge(const struct faas_fetch_call *c, struct faas_error *err);
int faas_fetch_timed_out(const struct faas_fetch_call *c, bool connected, struct faas_error *err);

/* follow: a redirect beyond max_redirects is an error, also when that is 0. */
FAAS_NODISCARD int faas_fetch_by_curl(const struct faas_fetch_req *req, bool follow,
                                      struct faas_fetch_resp *resp, struct faas_error *err);

enum faas_fetch_outcome { FAAS_FETCH_FAILED = -1, FAAS_FETCH_DONE, FAAS_FETCH_FOR_CURL };

/* FOR_CURL: it is not for us, and nothing was sent. Redirects are followed as far as they are for
 * us; beyond that they are asked of curl. */
enum faas_fetch_outcome faas_fetch_plain(const struct faas_fetch_req *req,
                                         struct faas_fetch_resp *resp, struct faas_error *err);

#endif
