/* Every setting of faas-gateway. One table (config.c) gives each its variable,
 * flag, default, range and help; the chosen provider's own table is appended to it. */
#ifndef FAAS_GATEWAY_CONFIG_H
#define FAAS_GATEWAY_CONFIG_H

#include "libfaas/log.h"
#include "libfaas/opt.h"
#include "providers/provider.h"

/* Asynchronous calls; nothing of it counts while redis_url is empty. */
struct gw_async_config {
    char *redis_url;
    char *redis_prefix;
    int64_t redis_timeout_ms;
    int64_t max_body_size;
    int64_t inline_body_size; /* larger ones get a key of their own */
    int64_t max_pending;      /* submissions without an answer from Redis, each loop */
    int64_t max_delay_ms;
    int64_t idempotency_ms;
    int64_t result_ms;
    int64_t dead_ms;
    char *queue;                   /* of functions that name none */
    char *queues;                  /* that the worker serves: async/queue_rules.h */
    char *gateway_url;             /* where a worker calls functions; "": here */
    int64_t max_inflight;          /* of the worker */
    int64_t max_inflight_function; /* of it for one function; 0: none */
    int64_t read_ahead;            /* entries that wait in it for a place */
    int64_t lease_ms;
    int64_t max_result_size;
    int64_t retry_attempts;
    char *retry_codes;
    int64_t retry_min_wait_ms, retry_max_wait_ms;
    int retry_jitter; /* enum gw_jitter */
    int64_t callback_attempts;
    int64_t callback_timeout_ms;
    int64_t callback_max_inflight;
    char *callback_secret_file; /* "" : callbacks are not signed */
    char *callback_allow;
    char *callback_deny;
    bool schedules;
    int64_t schedule_catch_up_ms;
};

/* What this process does. */
enum gw_role { GW_ROLE_ALL, GW_ROLE_GATEWAY, GW_ROLE_WORKER };

struct gw_config {
    int role;
    char *bind_address;
    int64_t port;
    char *metrics_address;
    int64_t metrics_port; /* -1: no metrics server */
    int64_t loops;        /* 0: one per usable CPU */

    char *provider;
    char *state_dir;
    char *function_namespace;
    bool scale_from_zero;

    bool basic_auth;
    char *secret_mount_path; /* folder of the credential files */

    int64_t read_timeout_ms;
    int64_t write_timeout_ms;
    int64_t upstream_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t stream_idle_timeout_ms;
    int64_t tunnel_idle_timeout_ms; /* 0: none */
    int64_t scale_timeout_ms;
    int64_t eject_ms;
    int64_t drain_ms;

    int64_t max_connections;
    int64_t max_header_size;
    int64_t max_body_size;
    int64_t max_inflight;
    int64_t max_waiting;
    int64_t max_request_object;
    int64_t max_image_size;
    int64_t max_log_streams;
    int64_t max_idle_conns;
    int64_t max_idle_conns_per_host;
    int64_t pool_threads;
    int64_t flight_records;

    struct gw_async_config async;

    bool access_log;
    int log_format;
    int log_level;

    bool version;
    bool help;
    bool init_auth;
};

/* A whole configuration: the gateway's own settings and its provider's. */
struct gw_settings {
    struct gw_config *config;
    const struct faas_provider_ops *provider;
    void *provider_options; /* inside the same block as config */
    struct faas_opt *table; /* both tables, joined */
    size_t n_table;
};

/* Reads argv and envp. A positional argument, an unknown flag or a bad value is INVALID and
 * named. */
FAAS_NODISCARD int gw_settings_load(struct gw_settings *s, int argc, char **argv, char *const *envp,
                                    struct faas_error *err);
void gw_settings_deinit(struct gw_settings *s);
void gw_settings_help(const struct gw_settings *s, struct faas_buf *out);
void gw_config_apply_log(const struct gw_config *c, struct faas_log *log);

#endif
