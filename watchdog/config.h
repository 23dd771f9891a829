/* The watchdog's settings: environment variables under the names, with the
 * defaults and in the grammars that function images rely on.
 *
 * libfaas/opt.h is not used: its rows make flags of variables, refuse what it cannot read and take
 * "1" for true, while images in the field have "1", "yes" or "10 s" in variables that the originals
 * read as false or as unset, and the two of them differ in that. What we read differently from what
 * stands there is told in a warning; what would make us serve something else than meant (ports, the
 * mode) is refused. */
#ifndef FAAS_WATCHDOG_CONFIG_H
#define FAAS_WATCHDOG_CONFIG_H

#include "libfaas/map.h"
#include "watchdog/mode.h"

struct wd_config {
    enum wd_mode mode;
    char *fprocess;        /* NULL where the mode needs none */
    unsigned port;         /* 0: the kernel picks one */
    int listen_fd;         /* a socket that we were started with; -1: none */
    unsigned metrics_port; /* 0: none */
    int64_t read_timeout_ms;
    int64_t write_timeout_ms;
    int64_t exec_timeout_ms;
    int64_t healthcheck_interval_ms;
    char *content_type; /* NULL: the mode's own way */
    char *lock_path;
    uint64_t max_inflight;  /* 0: no limit */
    uint64_t max_body_size; /* 0: no limit */
    uint64_t max_header_bytes;
    bool suppress_lock;
    char *jwt_gateway;            /* base URL of who makes the tokens; NULL: no token is needed */
    char *jwt_subject;            /* "<namespace>:<name>" of the function */
    int64_t jwt_start_timeout_ms; /* how long the gateway is waited for at start */
    bool jwt_debug;
    bool cgi_headers;
    bool combine_output;
    bool marshal_request;
    bool write_debug;
    bool debug_headers;
    /* of-watchdog */
    char *upstream_url;       /* http: set, and not yet looked at */
    char *static_path;        /* static: set */
    bool static_listing;      /* folders without an index are listed */
    uint64_t static_max_list; /* entries; 0: no limit */
    char *ready_path;         /* NULL: none; begins with '/' */
    bool http_buffer_req_body;
    /* http, and ours alone */
    int64_t upstream_start_timeout_ms; /* how long calls wait for a function that starts */
    int64_t upstream_idle_timeout_ms;  /* of kept connections to it; 0: until it closes them */
    bool sigterm_at_once;              /* to the function, before calls are drained */
    int64_t stop_timeout_ms;           /* from its SIGTERM to its SIGKILL */
    bool restart_on_exit;
    int64_t restart_max_delay_ms;
    bool prefix_logs;
    bool kill_on_disconnect; /* streaming: the function ends with its client's connection */
    bool log_callid;
    uint64_t log_buffer_size;  /* a longer line of the function is logged in pieces; > 0 */
    int failure_status;        /* what to exit with when it could not be loaded or obeyed */
    struct faas_strv warnings; /* to be logged at start */
};

/* Reads envp into *c (zeroed by the caller, deinit in any case). program: what we are when `mode`
 * does not say. Fails with INVALID, naming the variable. */
FAAS_NODISCARD int wd_config_load(struct wd_config *c, char *const *envp, enum wd_family program,
                                  struct faas_error *err);
void wd_config_deinit(struct wd_config *c);

/* <TMPDIR or /tmp>/.lock, heap: known without a valid configuration, for the health check. */
char *wd_lock_path(char *const *envp) FAAS_NODISCARD;

#endif
