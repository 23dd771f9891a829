/* The gateway's REST API as commands use it: one call at a time, with the saved login, and with
 * errors that say what to do next. */
#ifndef FAAS_CLI_CLIENT_H
#define FAAS_CLI_CLIENT_H

#include "cli/options.h"
#include "libfaas/fetch.h"
#include "libfaas/json.h"

enum { CLI_TIMEOUT_MS = 60 * 1000, CLI_NO_TIMEOUT = -1 };

struct cli_client {
    char *gateway;
    char *authorization; /* NULL: none */
    bool insecure_tls;
    int64_t timeout_ms; /* 0: none */
};

struct cli_call {
    const char *method;
    const char *path;             /* "/system/functions" */
    const struct faas_map *query; /* may be NULL; sent in order */
    const json_t *body;           /* may be NULL */
    int body_fd;                  /* > 0: a file to send as content_type */
    const char *content_type;     /* NULL: application/json */
    int64_t timeout_ms;           /* 0: the client's; CLI_NO_TIMEOUT: none */
    size_t max_body;
    int (*sink)(void *arg, struct faas_str data);
    void (*on_status)(void *arg, int status);
    void *arg;
};

/* stack may be NULL. Reads the saved login for the gateway; --token wins over it. */
FAAS_NODISCARD int cli_client_open(struct cli_client *c, const struct cli_connect *connect,
                                   const struct cli_stack *stack, struct faas_error *err);
/* The same for a gateway that has been chosen already. */
FAAS_NODISCARD int cli_client_open_url(struct cli_client *c, const struct cli_connect *connect,
                                       const char *gateway, struct faas_error *err);
void cli_client_close(struct cli_client *c);

/* Any status is success. A gateway that cannot be reached is UNAVAILABLE, and the message says
 * which and how to start one. */
FAAS_NODISCARD int cli_client_call(const struct cli_client *c, const struct cli_call *call,
                                   struct faas_fetch_resp *resp, struct faas_error *err);
/* The same for GET, when only 200 will do; the body is parsed. NULL on failure. */
json_t *cli_client_get(const struct cli_client *c, const char *path, const struct faas_map *query,
                       struct faas_error *err);
/* For a status that the caller has no use for: 401 tells to log in, any other is shown with what
 * the body says. Always -1. */
int cli_client_refuse(const struct cli_client *c, const struct faas_fetch_resp *resp,
                      struct faas_error *err);
/* Rewords a failed call's *err for people: which gateway, and how to start one. Always -1. */
int cli_unreachable(const char *gateway, struct faas_error *err);
/* What an answer's body says: the "error" of a JSON object, and its call id, else all of it without
 * blanks around it. Heap. */
char *cli_reason(struct faas_str body);
const char *cli_status_text(int status); /* "Accepted" */
static inline bool cli_accepted(int status)
{
    return status >= 200 && status <= 202;
}

#define _cleanup_client_ _cleanup_(cli_client_close)
#define _cleanup_resp_   _cleanup_(faas_fetch_resp_deinit)

#endif
