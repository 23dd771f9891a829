#include "gateway/config.h"

#include "libfaas/alloc.h"

#include <stdlib.h>
#include <unistd.h>

#define AT(member) .at = offsetof(struct gw_config, member)
#define MIB        (INT64_C(1024) * 1024)
#define GIB        (1024 * MIB)
#define HOUR_MS    (INT64_C(3600) * 1000)

static const char *const log_formats[] = {"auto", "json", "human", NULL};
static const char *const roles[] = {"all", "gateway", "worker", NULL};
static const char *const jitters[] = {"none", "full", "equal", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};

static const struct faas_opt options[] = {
    {.group = "Addresses",
     .flag = "role",
     .env = "role",
     .type = FAAS_OPT_CHOICE,
     AT(role),
     .dflt = "all",
     .choices = roles,
     .help = "all; gateway (queues asynchronous calls for workers elsewhere); or worker (makes "
             "queued calls and serves nothing but metrics)"},
    {.env = "bind_address",
     .type = FAAS_OPT_STRING,
     AT(bind_address),
     .dflt = "127.0.0.1",
     .help = "address of the API and of the functions; 0.0.0.0 or :: for all"},
    {.env = "port",
     .type = FAAS_OPT_INT,
     AT(port),
     .dflt = "8080",
     .min = 0,
     .max = 65535,
     .help = "port of the API and of the functions; 0 takes a free one"},
    {.env = "metrics_address",
     .type = FAAS_OPT_STRING,
     AT(metrics_address),
     .dflt = "127.0.0.1",
     .help = "address of /metrics"},
    {.env = "metrics_port",
     .type = FAAS_OPT_INT,
     AT(metrics_port),
     .dflt = "8082",
     .min = -1,
     .max = 65535,
     .help = "port of /metrics; 0 takes a free one, -1 turns it off"},
    {.env = "loops",
     .type = FAAS_OPT_INT,
     AT(loops),
     .dflt = "0",
     .min = 0,
     .max = 256,
     .help = "event loops; 0 is one for each usable CPU"},

    {.group = "Functions",
     .env = "provider",
     .type = FAAS_OPT_STRING,
     AT(provider),
     .dflt = "local",
     .help = "back end that runs the functions"},
    {.env = "state_dir",
     .type = FAAS_OPT_STRING,
     AT(state_dir),
     .help = "folder of everything durable (/var/lib/minnow as root, else ~/.local/state/minnow)"},
    {.env = "function_namespace",
     .type = FAAS_OPT_STRING,
     AT(function_namespace),
     .dflt = FAAS_DEFAULT_NAMESPACE,
     .help = "namespace of names without a dot"},
    {.env = "scale_from_zero",
     .type = FAAS_OPT_BOOL,
     AT(scale_from_zero),
     .dflt = "true",
     .help = "start a function that has no replica when it is called"},

    {.group = "Access",
     .env = "basic_auth",
     .type = FAAS_OPT_BOOL,
     AT(basic_auth),
     .dflt = "true",
     .help = "ask for credentials on /system/*"},
    {.env = "secret_mount_path",
     .type = FAAS_OPT_STRING,
     AT(secret_mount_path),
     .help = "folder of basic-auth-user and -password (state_dir/auth, made on first start)"},

    {.group = "Timeouts",
     .env = "read_timeout",
     .type = FAAS_OPT_DURATION,
     AT(read_timeout_ms),
     .dflt = "65s",
     .min = 1,
     .max = 24 * HOUR_MS,
     .help = "longest wait for a request's head, for its body to go on, for the next request"},
    {.env = "write_timeout",
     .type = FAAS_OPT_DURATION,
     AT(write_timeout_ms),
     .dflt = "65s",
     .min = 1,
     .max = 24 * HOUR_MS,
     .help = "longest wait for a client that does not read"},
    {.env = "upstream_timeout",
     .type = FAAS_OPT_DURATION,
     AT(upstream_timeout_ms),
     .dflt = "60s",
     .min = 1,
     .max = 168 * HOUR_MS,
     .help = "longest wait for a function's answer, unless its exec_timeout is longer"},
    {.env = "connect_timeout",
     .type = FAAS_OPT_DURATION,
     AT(connect_timeout_ms),
     .dflt = "5s",
     .min = 1,
     .max = HOUR_MS,
     .help = "longest wait for a connection to a replica"},
    {.env = "upstream_idle_timeout",
     .type = FAAS_OPT_DURATION,
     AT(idle_timeout_ms),
     .dflt = "90s",
     .min = 1,
     .max = 24 * HOUR_MS,
     .help = "how long an idle connection to a replica is kept"},
    {.env = "stream_idle_timeout",
     .type = FAAS_OPT_DURATION,
     AT(stream_idle_timeout_ms),
     .dflt = "10m",
     .min = 1,
     .max = 168 * HOUR_MS,
     .help = "longest silence of a function in the middle of its answer"},
    {.env = "tunnel_idle_timeout",
     .type = FAAS_OPT_DURATION,
     AT(tunnel_idle_timeout_ms),
     .dflt = "0s",
     .min = 0,
     .max = 168 * HOUR_MS,
     .help = "longest silence of an upgraded connection (WebSocket); 0 is without limit, and "
             "stream_idle_timeout once one side has ended"},
    {.env = "scale_from_zero_timeout",
     .type = FAAS_OPT_DURATION,
     AT(scale_timeout_ms),
     .dflt = "60s",
     .min = 1,
     .max = 24 * HOUR_MS,
     .help = "longest wait of a call for the first replica"},
    {.env = "eject_time",
     .type = FAAS_OPT_DURATION,
     AT(eject_ms),
     .dflt = "1s",
     .min = 0,
     .max = HOUR_MS,
     .help = "how long a replica that refused a connection is passed over"},
    {.env = "drain_timeout",
     .type = FAAS_OPT_DURATION,
     AT(drain_ms),
     .dflt = "30s",
     .min = 0,
     .max = 24 * HOUR_MS,
     .help = "how long a stopping gateway waits for calls in flight, upgraded connections "
             "included, before it cuts them"},

    {.group = "Limits",
     .env = "max_connections",
     .type = FAAS_OPT_INT,
     AT(max_connections),
     .dflt = "10000",
     .min = 1,
     .max = 1000000,
     .help = "client connections; more wait their turn"},
    {.env = "max_header_size",
     .type = FAAS_OPT_SIZE,
     AT(max_header_size),
     .dflt = "16KiB",
     .min = 1024,
     .max = MIB,
     .help = "request line and headers; every connection holds 1.5 times as much"},
    {.env = "max_body_size",
     .type = FAAS_OPT_SIZE,
     AT(max_body_size),
     .dflt = "0",
     .help = "body of a call, 413 beyond; 0 is no limit (bodies are streamed)"},
    {.env = "max_inflight_per_function",
     .type = FAAS_OPT_INT,
     AT(max_inflight),
     .dflt = "0",
     .help = "calls of one function at a time, 429 beyond; 0 is no limit; the function's "
             "annotation com.openfaas.max_inflight wins"},
    {.env = "max_waiting",
     .type = FAAS_OPT_INT,
     AT(max_waiting),
     .dflt = "1000",
     .min = 0,
     .max = 1000000,
     .help = "calls that may wait for one function's first replica, 503 beyond"},
    {.env = "max_request_object",
     .type = FAAS_OPT_SIZE,
     AT(max_request_object),
     .dflt = "2MiB",
     .min = 1024,
     .max = GIB,
     .help = "JSON body of a management call"},
    {.env = "max_image_size",
     .type = FAAS_OPT_SIZE,
     AT(max_image_size),
     .dflt = "1GiB",
     .min = 1024,
     .help = "pushed function bundle, as a tar"},
    {.env = "max_log_streams",
     .type = FAAS_OPT_INT,
     AT(max_log_streams),
     .dflt = "64",
     .min = 1,
     .max = 10000,
     .help = "log readers at a time, 429 beyond"},
    {.env = "max_idle_conns",
     .type = FAAS_OPT_INT,
     AT(max_idle_conns),
     .dflt = "1024",
     .min = 0,
     .max = 1000000,
     .help = "idle connections to replicas, each loop"},
    {.env = "max_idle_conns_per_host",
     .type = FAAS_OPT_INT,
     AT(max_idle_conns_per_host),
     .dflt = "1024",
     .min = 0,
     .max = 1000000,
     .help = "idle connections to one replica, each loop"},
    {.env = "pool_threads",
     .type = FAAS_OPT_INT,
     AT(pool_threads),
     .dflt = "4",
     .min = 1,
     .max = 256,
     .help = "threads for management calls"},
    {.env = "flight_records",
     .type = FAAS_OPT_INT,
     AT(flight_records),
     .dflt = "1000",
     .min = 0,
     .max = 1000000,
     .help = "failed calls that are remembered for faas-cli explain; 0 is none"},

    {.group = "Asynchronous calls",
     .env = "redis_url",
     .type = FAAS_OPT_STRING,
     AT(async.redis_url),
     .dflt = "",
     .help = "where calls are queued: redis://[[user]:password@]host[:port][/db] or "
             "unix:///path[?db=n]; without it /async-function is off"},
    {.env = "redis_prefix",
     .type = FAAS_OPT_STRING,
     AT(async.redis_prefix),
     .dflt = "minnow:",
     .help = "in front of every key; gateways that share a Redis and this share their queues"},
    {.env = "redis_timeout",
     .type = FAAS_OPT_DURATION,
     AT(async.redis_timeout_ms),
     .dflt = "5s",
     .min = 1,
     .max = HOUR_MS,
     .help = "longest wait for Redis; a call that it has not taken by then is answered with 503"},
    {.env = "async_max_body_size",
     .type = FAAS_OPT_SIZE,
     AT(async.max_body_size),
     .dflt = "8MiB",
     .min = 0,
     .max = 512 * MIB,
     .help = "body of a queued call, 413 beyond"},
    {.env = "async_inline_body_size",
     .type = FAAS_OPT_SIZE,
     AT(async.inline_body_size),
     .dflt = "16KiB",
     .min = 0,
     .max = 512 * MIB,
     .help = "larger bodies get a key of their own in Redis"},
    {.env = "async_max_pending",
     .type = FAAS_OPT_INT,
     AT(async.max_pending),
     .dflt = "10000",
     .min = 1,
     .max = 1000000,
     .help = "submissions that wait for Redis, each loop, 503 beyond"},
    {.env = "async_max_delay",
     .type = FAAS_OPT_DURATION,
     AT(async.max_delay_ms),
     .dflt = "720h",
     .min = 0,
     .max = 8760 * HOUR_MS,
     .help = "largest X-Delay-Seconds"},
    {.env = "idempotency_ttl",
     .type = FAAS_OPT_DURATION,
     AT(async.idempotency_ms),
     .dflt = "24h",
     .min = 1,
     .max = 8760 * HOUR_MS,
     .help = "how long an Idempotency-Key is remembered"},
    {.env = "async_result_ttl",
     .type = FAAS_OPT_DURATION,
     AT(async.result_ms),
     .dflt = "1h",
     .min = 1,
     .max = 8760 * HOUR_MS,
     .help = "how long a finished call and its result can be asked for"},
    {.env = "async_dead_ttl",
     .type = FAAS_OPT_DURATION,
     AT(async.dead_ms),
     .dflt = "168h",
     .min = 1,
     .max = 8760 * HOUR_MS,
     .help = "how long a call that was given up can be looked at and redriven"},
    {.env = "async_queue",
     .type = FAAS_OPT_STRING,
     AT(async.queue),
     .dflt = "faas-request",
     .help = "queue of functions without the annotation com.openfaas.queue"},
    {.env = "async_queues",
     .type = FAAS_OPT_STRING,
     AT(async.queues),
     .dflt = "*",
     .help = "queues this worker serves, the first of them first, with how many calls of each at a "
             "time: urgent:20,reports:2,* (* is every other)"},
    {.env = "gateway_url",
     .type = FAAS_OPT_STRING,
     AT(async.gateway_url),
     .dflt = "",
     .help = "http:// address by which a worker calls functions; needed with --role=worker"},
    {.env = "async_max_inflight",
     .type = FAAS_OPT_INT,
     AT(async.max_inflight),
     .dflt = "50",
     .min = 1,
     .max = 10000,
     .help = "queued calls that are made at a time"},
    {.env = "async_max_inflight_per_function",
     .type = FAAS_OPT_INT,
     AT(async.max_inflight_function),
     .dflt = "0",
     .min = 0,
     .max = 10000,
     .help = "of them for one function; 0 is no limit but what it answers with 429"},
    {.env = "async_read_ahead",
     .type = FAAS_OPT_INT,
     AT(async.read_ahead),
     .dflt = "100",
     .min = 0,
     .max = 10000,
     .help = "queued calls that are read before they can be made, as long as calls end about as "
             "fast as Redis answers"},
    {.env = "async_lease",
     .type = FAAS_OPT_DURATION,
     AT(async.lease_ms),
     .dflt = "60s",
     .min = 100,
     .max = 24 * HOUR_MS,
     .help = "a worker that has not been heard of for so long has lost its calls to the others"},
    {.env = "async_max_result_size",
     .type = FAAS_OPT_SIZE,
     AT(async.max_result_size),
     .dflt = "1MiB",
     .min = 0,
     .max = 512 * MIB,
     .help = "of an answer, what is kept and sent to the callback; the rest is cut off"},
    {.env = "async_retry_attempts",
     .type = FAAS_OPT_INT,
     AT(async.retry_attempts),
     .dflt = "10",
     .min = 1,
     .max = 10000,
     .help = "attempts in all, unless com.openfaas.retry.attempts says otherwise"},
    {.env = "async_retry_codes",
     .type = FAAS_OPT_STRING,
     AT(async.retry_codes),
     .dflt = "408,429,500,502,503,504",
     .help = "statuses of a function that are tried again (com.openfaas.retry.codes)"},
    {.env = "async_retry_min_wait",
     .type = FAAS_OPT_DURATION,
     AT(async.retry_min_wait_ms),
     .dflt = "10s",
     .min = 0,
     .max = 24 * HOUR_MS,
     .help = "wait behind the first attempt, doubled each time (com.openfaas.retry.min_wait)"},
    {.env = "async_retry_max_wait",
     .type = FAAS_OPT_DURATION,
     AT(async.retry_max_wait_ms),
     .dflt = "120s",
     .min = 0,
     .max = 168 * HOUR_MS,
     .help = "longest such wait (com.openfaas.retry.max_wait)"},
    {.env = "async_retry_jitter",
     .type = FAAS_OPT_CHOICE,
     AT(async.retry_jitter),
     .dflt = "full",
     .choices = jitters,
     .help = "none, full (from 0 to the wait) or equal (from half of it)"},
    {.env = "callback_attempts",
     .type = FAAS_OPT_INT,
     AT(async.callback_attempts),
     .dflt = "5",
     .min = 1,
     .max = 100,
     .help = "how often a callback is tried"},
    {.env = "callback_timeout",
     .type = FAAS_OPT_DURATION,
     AT(async.callback_timeout_ms),
     .dflt = "30s",
     .min = 1,
     .max = HOUR_MS,
     .help = "longest wait for a callback's receiver"},
    {.env = "callback_max_inflight",
     .type = FAAS_OPT_INT,
     AT(async.callback_max_inflight),
     .dflt = "50",
     .min = 1,
     .max = 1000,
     .help = "callbacks at a time; the others wait"},
    {.env = "callback_secret_file",
     .type = FAAS_OPT_STRING,
     AT(async.callback_secret_file),
     .dflt = "",
     .help = "file whose content signs callbacks: X-Minnow-Signature: sha256=HMAC of the body"},
    {.env = "callback_allow",
     .type = FAAS_OPT_STRING,
     AT(async.callback_allow),
     .dflt = "*",
     .help = "hosts that X-Callback-Url may name: names, *.suffixes, addresses, networks "
             "(10.0.0.0/8), separated by commas"},
    {.env = "callback_deny",
     .type = FAAS_OPT_STRING,
     AT(async.callback_deny),
     .dflt = "169.254.0.0/16,fe80::/10,metadata.google.internal,fd20:ce::254,fd00:ec2::254,"
             "100.100.100.200",
     .help = "hosts that it may not, whatever is allowed (the clouds' metadata services)"},
    {.env = "schedules",
     .type = FAAS_OPT_BOOL,
     AT(async.schedules),
     .dflt = "true",
     .help = "call functions by their annotation schedule; false where a connector does"},
    {.env = "schedule_catch_up",
     .type = FAAS_OPT_DURATION,
     AT(async.schedule_catch_up_ms),
     .dflt = "1m",
     .min = 0,
     .max = 24 * HOUR_MS,
     .help = "how late a time of a schedule is made up for when the next one is due already, or "
             "no gateway ran"},

    {.group = "Output",
     .env = "access_log",
     .type = FAAS_OPT_BOOL,
     AT(access_log),
     .dflt = "true",
     .help = "one record for each request"},
    {.env = "log_format",
     .type = FAAS_OPT_CHOICE,
     AT(log_format),
     .dflt = "auto",
     .choices = log_formats,
     .help = "json, human, or auto: human on a terminal"},
    {.env = "log_level",
     .type = FAAS_OPT_CHOICE,
     AT(log_level),
     .dflt = "info",
     .choices = log_levels,
     .help = "debug, info, warn or error"},
    {.flag = "init-auth",
     .type = FAAS_OPT_BOOL,
     AT(init_auth),
     .help = "make the admin password if there is none, print it with the login line, exit"},
    {.flag = "version", .type = FAAS_OPT_BOOL, AT(version), .help = "print the version, exit"},
    {.flag = "help", .type = FAAS_OPT_BOOL, AT(help), .help = "print this, exit"},
};

/* The provider decides which options exist, so it is looked for before they are parsed. */
static const char *provider_name(int argc, char **argv, char *const *envp)
{
    const char *name = NULL;

    for (char *const *e = envp; e && *e; e++) {
        if (strncmp(*e, "provider=", 9) == 0 && (*e)[9])
            name = *e + 9;
    }
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--provider=", 11) == 0)
            name = argv[i] + 11;
        else if (strcmp(argv[i], "--provider") == 0 && i + 1 < argc)
            name = argv[i + 1];
    }
    return name ? name : "local";
}

static void join_tables(struct gw_settings *s, size_t base)
{
    const struct faas_provider_ops *ops = s->provider;
    size_t own = FAAS_ARRAY_LEN(options);

    s->n_table = own + ops->n_options;
    s->table = faas_reallocarray(NULL, s->n_table, sizeof(*s->table));
    memcpy(s->table, options, sizeof(options));
    for (size_t i = 0; i < ops->n_options; i++) {
        s->table[own + i] = ops->options[i];
        s->table[own + i].at += base;
    }
}

static char *default_state_dir(struct faas_error *err)
{
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (geteuid() == 0)
        return faas_strdup("/var/lib/minnow");
    if (xdg && xdg[0] == '/')
        return faas_asprintf("%s/minnow", xdg);
    if (home && home[0] == '/')
        return faas_asprintf("%s/.local/state/minnow", home);
    faas_fail(err, FAAS_ERR_INVALID, "state_dir is not set and there is no HOME to put it in");
    return NULL;
}

static char *absolute_path(char *path /* takes */)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *absolute;

    if (!cwd)
        return path;
    absolute = faas_asprintf("%s/%s", cwd, path);
    free(cwd);
    free(path);
    return absolute;
}

static int fill_computed(struct gw_config *c, struct faas_error *err)
{
    if (!c->state_dir && !(c->state_dir = default_state_dir(err)))
        return -1;
    c->state_dir = absolute_path(c->state_dir);
    if (!c->secret_mount_path)
        c->secret_mount_path = faas_asprintf("%s/auth", c->state_dir);
    if (c->role == GW_ROLE_WORKER && (!c->async.redis_url[0] || !c->async.gateway_url[0]))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "--role=worker needs redis_url and gateway_url: what to take, and where "
                         "to call it");
    return faas_validate_name("function_namespace", faas_str_from(c->function_namespace), err);
}

int gw_settings_load(struct gw_settings *s, int argc, char **argv, char *const *envp,
                     struct faas_error *err)
{
    /* Both structs live in one block, so that one table of offsets can fill them. */
    size_t base = (sizeof(struct gw_config) + 15) & ~(size_t)15;

    *s = (struct gw_settings){.provider = faas_provider_find(provider_name(argc, argv, envp), err)};
    if (!s->provider)
        return faas_error_wrap(err, "provider");
    s->config = faas_zalloc(base + s->provider->options_size);
    s->provider_options = (char *)s->config + base;
    join_tables(s, base);

    if (faas_opt_parse(s->table, s->n_table, s->config, &argc, argv, envp, err) < 0)
        return -1;
    if (argc > 1)
        return faas_fail(err, FAAS_ERR_INVALID, "unexpected argument \"%s\"", argv[1]);
    return fill_computed(s->config, err);
}

void gw_settings_deinit(struct gw_settings *s)
{
    if (s->config)
        faas_opt_deinit(s->table, s->n_table, s->config);
    free(s->config);
    free(s->table);
    *s = (struct gw_settings){0};
}

void gw_settings_help(const struct gw_settings *s, struct faas_buf *out)
{
    faas_buf_append_z(out, "Usage: faas-gateway [--option=value ...]\n\n"
                           "Serves functions on http://127.0.0.1:8080 until it is told to stop.\n"
                           "Example: faas-gateway --port=9000 --state-dir=/tmp/minnow\n\n"
                           "Every option can also be set by the environment variable beside it.\n\n"
                           "Providers (--provider):\n");
    for (const struct faas_provider_ops *const *p = faas_provider_registry; *p; p++)
        faas_buf_printf(out, "  %-12s %s\n", (*p)->name, (*p)->summary);
    faas_buf_append_c(out, '\n');
    faas_opt_help(out, s->table, s->n_table);
}

void gw_config_apply_log(const struct gw_config *c, struct faas_log *log)
{
    log->level = (enum faas_log_level)c->log_level;
    if (c->log_format == 0)
        return;
    log->format = c->log_format == 1 ? FAAS_LOG_JSON : FAAS_LOG_HUMAN;
    log->colour = log->colour && log->format == FAAS_LOG_HUMAN;
}
