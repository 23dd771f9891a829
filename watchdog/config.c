#include "watchdog/config.h"

#include "libfaas/alloc.h"
#include "libfaas/url.h"
#include "watchdog/go_bool.h"

#include <stdio.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS   30000
#define DEFAULT_HEADER_BYTES (64 * 1024)
#define DEFAULT_LOG_BUFFER   (64 * 1024)
#define MAX_LOG_BUFFER       (1024 * 1024)
#define DEFAULT_START_MS     10000
#define DEFAULT_IDLE_MS      500
#define DEFAULT_STOP_MS      2000
#define DEFAULT_RESTART_MS   10000
/* Exit statuses that images and scripts know: a Go panic, and a refused configuration. */
#define PANICKED  2
#define REFUSED   1
#define NS_PER_MS INT64_C(1000000)
#define MAX_MS    (INT64_MAX / NS_PER_MS)

/* Who makes tokens, unless said otherwise. */
#define GATEWAY        "http://gateway.openfaas:8080"
#define LOCAL_GATEWAY  "http://127.0.0.1:8000"
#define NAMESPACE_FILE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

/* The first descriptor that is handed over, by systemd's protocol. */
#define LISTEN_FD 3

struct env {
    char *const *entries;
    struct wd_config *config;
    bool of_watchdog;
};

/* NULL when unset. The first entry of a name counts, as for getenv(). */
static const char *lookup(char *const *envp, const char *name)
{
    size_t len = strlen(name);

    for (; *envp; envp++)
        if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
            return *envp + len + 1;
    return NULL;
}

static const char *get(const struct env *env, const char *name)
{
    const char *value = lookup(env->entries, name);

    return value ? value : "";
}

static void warn(const struct env *env, const char *name, const char *meaning)
{
    faas_strv_addf(&env->config->warnings, "Warning: %s=\"%.80s\" %s", name, get(env, name),
                   meaning);
}

/* Whole seconds or a Go duration. A negative duration means "off", a negative number is none. */
static bool parse_timeout(struct faas_str s, int64_t *out_ms)
{
    int64_t n;

    if (faas_parse_i64(s, &n, NULL) == 0) {
        if (n < 0)
            return false;
        *out_ms = n > MAX_MS / 1000 ? MAX_MS : n * 1000;
        return true;
    }
    if (faas_parse_go_duration(s, &n, NULL) < 0)
        return false;
    *out_ms = n <= 0 ? 0 : FAAS_MIN((n - 1) / NS_PER_MS + 1, MAX_MS);
    return true;
}

static int64_t get_timeout(const struct env *env, const char *name, int64_t dflt_ms)
{
    const char *value = get(env, name);
    int64_t ms;

    if (!*value)
        return dflt_ms;
    if (parse_timeout(faas_str_from(value), &ms))
        return ms;
    warn(env, name, "is neither a number of seconds nor a duration such as 1m30s: ignored");
    return dflt_ms;
}

/* Only "true" is true; to of-watchdog "1" is as well. */
static bool get_bool(const struct env *env, const char *name, bool dflt)
{
    const char *value = get(env, name);
    bool known;

    if (!*value)
        return dflt;
    if (env->of_watchdog && strcmp(value, "1") == 0)
        return true;
    known = strcmp(value, "false") == 0 || (env->of_watchdog && strcmp(value, "0") == 0);
    if (strcmp(value, "true") != 0 && !known)
        warn(env, name, "is neither true nor false: taken as false");
    return strcmp(value, "true") == 0;
}

static bool get_go_bool(const struct env *env, const char *name, bool dflt)
{
    const char *value = get(env, name);
    bool result = dflt;

    if (*value && !wd_parse_go_bool(faas_str_from(value), &result))
        warn(env, name,
             dflt ? "is neither true nor false: taken as true"
                  : "is neither true nor false: taken as false");
    return result;
}

static uint64_t get_limit(const struct env *env, const char *name)
{
    const char *value = get(env, name);
    uint64_t n;

    if (!*value)
        return 0;
    if (faas_parse_u64(faas_str_from(value), &n, NULL) == 0)
        return n;
    warn(env, name, "is no number from 0 up: there is no limit");
    return 0;
}

static int get_size(const struct env *env, const char *name, uint64_t dflt, uint64_t *out,
                    struct faas_error *err)
{
    const char *value = get(env, name);

    *out = dflt;
    if (*value && faas_parse_size(faas_str_from(value), out, err) < 0)
        return faas_error_wrap(err, "%s", name);
    return 0;
}

static int get_port(const struct env *env, const char *name, unsigned dflt, unsigned *out,
                    struct faas_error *err)
{
    const char *value = get(env, name);
    uint64_t n;

    *out = dflt;
    if (!*value)
        return 0;
    if (faas_parse_u64(faas_str_from(value), &n, NULL) < 0 || n > 65535)
        return faas_fail(err, FAAS_ERR_INVALID, "%s=\"%.80s\" is not a port from 0 to 65535", name,
                         value);
    *out = (unsigned)n;
    return 0;
}

static char *dup_or_null(const char *value)
{
    return *value ? faas_strdup(value) : NULL;
}

static bool is_set(const struct env *env, const char *name)
{
    return lookup(env->entries, name) != NULL;
}

/* A classic image may have a `mode` of its own that is none of our business. */
static int load_mode(struct wd_config *c, struct env *env, enum wd_family program,
                     struct faas_error *err)
{
    const char *name = get(env, "mode");
    char known[128];

    c->failure_status = PANICKED;
    c->mode = wd_mode_default(program);
    if (*name && !wd_mode_find(name, &c->mode)) {
        if (program == WD_OF_WATCHDOG)
            return faas_fail(err, FAAS_ERR_INVALID, "unknown watchdog mode: %.60s (known: %s)",
                             name, wd_mode_names(known, sizeof(known)));
        warn(env, "mode", "is no mode of the watchdog: taken as classic");
    }
    env->of_watchdog = wd_modes[c->mode].family == WD_OF_WATCHDOG;
    if (env->of_watchdog)
        c->failure_status = REFUSED;
    return 0;
}

static int load_command(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *command = get(env, "fprocess");

    if (!wd_modes[c->mode].needs_command)
        return 0;
    if (env->of_watchdog && is_set(env, "function_process")) {
        command = get(env, "function_process");
        if (is_set(env, "fprocess"))
            warn(env, "fprocess", "is ignored: function_process is set too");
    } else if (*get(env, "function_process")) {
        warn(env, "function_process", "is ignored: fprocess is what is run");
    }
    if (!*command)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "fprocess%s is not set: it names the program to run%s, for example "
                         "fprocess=\"python3 index.py\"",
                         env->of_watchdog ? " (or function_process)" : "",
                         c->mode == WD_HTTP ? "" : " for each request");
    c->fprocess = faas_strdup(command);
    return 0;
}

static int load_listeners(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *fds = get(env, "LISTEN_FDS");
    const char *pid = get(env, "LISTEN_PID");
    uint64_t n;

    c->listen_fd = -1;
    if (get_port(env, "port", 8080, &c->port, err) < 0 ||
        get_port(env, "metrics_port", 8081, &c->metrics_port, err) < 0)
        return -1;
    if (*pid && (faas_parse_u64(faas_str_from(pid), &n, NULL) < 0 || n != (uint64_t)getpid()))
        fds = ""; /* meant for another process */
    if (*fds) {
        if (strcmp(fds, "1") != 0)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "LISTEN_FDS=\"%.40s\": exactly 1 socket is taken", fds);
        c->listen_fd = LISTEN_FD;
    } else if (c->port != 0 && c->port == c->metrics_port) {
        return faas_fail(
            err, FAAS_ERR_INVALID,
            "port=%u is taken by the metrics: choose another port, or set metrics_port "
            "(0 turns the metrics off)",
            c->port);
    }
    return 0;
}

static int load_timeouts(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    c->read_timeout_ms = get_timeout(env, "read_timeout", DEFAULT_TIMEOUT_MS);
    c->write_timeout_ms = get_timeout(env, "write_timeout", DEFAULT_TIMEOUT_MS);
    c->exec_timeout_ms =
        get_timeout(env, "exec_timeout", env->of_watchdog ? DEFAULT_TIMEOUT_MS : 0);
    c->healthcheck_interval_ms = get_timeout(env, "healthcheck_interval", c->write_timeout_ms);
    if (env->of_watchdog && !c->write_timeout_ms)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "write_timeout must be above zero: it is also how long to drain");
    if (c->exec_timeout_ms && c->write_timeout_ms && c->write_timeout_ms <= c->exec_timeout_ms &&
        (is_set(env, "exec_timeout") || is_set(env, "write_timeout")))
        faas_strv_add(&c->warnings,
                      "Warning: write_timeout is not above exec_timeout: it may end connections "
                      "before the function has had its time");
    if (c->write_timeout_ms && c->healthcheck_interval_ms > c->write_timeout_ms)
        warn(env, "healthcheck_interval",
             "is above write_timeout, from which orchestrators derive "
             "how long they wait before they kill");
    return 0;
}

static int load_limits(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    c->max_inflight = get_limit(env, "max_inflight");
    if (get_size(env, "max_body_size", 0, &c->max_body_size, err) < 0 ||
        get_size(env, "max_header_bytes", DEFAULT_HEADER_BYTES, &c->max_header_bytes, err) < 0)
        return -1;
    if (c->max_header_bytes < 1024 || c->max_header_bytes > 64 * 1024 * 1024)
        return faas_fail(err, FAAS_ERR_INVALID, "max_header_bytes must lie between 1k and 64M");
    return 0;
}

/* Read strictly: a function that was meant to be protected must not run without. */
static int get_protection(const struct env *env, const char *name, bool *out,
                          struct faas_error *err)
{
    const char *value = get(env, name);

    *out = false;
    if (!*value || wd_parse_go_bool(faas_str_from(value), out))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "%s=\"%.40s\" is neither true nor false", name, value);
}

/* Heap; "" when it cannot be read. */
static char *namespace_of_pod(void)
{
    _cleanup_free_ char *line = NULL;
    FILE *f = fopen(NAMESPACE_FILE, "re");
    size_t size = 0;
    ssize_t n;

    if (!f)
        return faas_strdup("");
    n = getline(&line, &size, f);
    fclose(f);
    return faas_str_dup(
        faas_str_trim((struct faas_str){.ptr = line, .len = n > 0 ? (size_t)n : 0}));
}

static int load_jwt_subject(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *name = get(env, "OPENFAAS_NAME");
    const char *given = get(env, "OPENFAAS_NAMESPACE");
    _cleanup_free_ char *namespace = *given ? faas_strdup(given) : namespace_of_pod();

    if (!*name)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "OPENFAAS_NAME is not set: with jwt_auth it says which function this is");
    if (!*namespace)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "OPENFAAS_NAMESPACE is not set, and there is no " NAMESPACE_FILE
                         ": with jwt_auth it says whose function this is");
    c->jwt_subject = faas_asprintf("%s:%s", namespace, name);
    return 0;
}

static int load_jwt_gateway(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *url = get(env, "jwt_auth_url");
    struct faas_url parsed;
    bool local;

    if (get_protection(env, "jwt_auth_local", &local, err) < 0)
        return -1;
    if (!*url)
        url = local ? LOCAL_GATEWAY : GATEWAY;
    else if (local)
        warn(env, "jwt_auth_local", "is ignored: jwt_auth_url is set too");
    if (faas_url_parse(&parsed, faas_str_from(url), err) < 0)
        return faas_error_wrap(err, "jwt_auth_url");
    if (!faas_url_is_plain(&parsed))
        return faas_fail(err, FAAS_ERR_INVALID, "jwt_auth_url=\"%.120s\": only http is spoken",
                         url);
    c->jwt_gateway = faas_strdup(url);
    return 0;
}

static int load_jwt(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    bool wanted;

    c->failure_status = REFUSED; /* in both families */
    if (get_protection(env, "jwt_auth", &wanted, err) < 0)
        return -1;
    if (wanted && (load_jwt_subject(c, env, err) < 0 || load_jwt_gateway(c, env, err) < 0 ||
                   get_protection(env, "jwt_auth_debug", &c->jwt_debug, err) < 0))
        return -1;
    c->jwt_start_timeout_ms = get_timeout(env, "jwt_auth_start_timeout", DEFAULT_TIMEOUT_MS);
    c->failure_status = env->of_watchdog ? REFUSED : PANICKED;
    return 0;
}

static void load_classic(struct wd_config *c, const struct env *env)
{
    c->content_type = dup_or_null(get(env, "content_type"));
    c->cgi_headers = get_bool(env, "cgi_headers", true);
    c->combine_output = get_bool(env, "combine_output", true);
    c->marshal_request = get_bool(env, "marshal_request", false);
    c->write_debug = get_bool(env, "write_debug", false);
    c->debug_headers = get_bool(env, "debug_headers", false);
    if (*get(env, "upstream_url") || *get(env, "http_upstream_url"))
        faas_strv_add(&c->warnings, "Warning: upstream_url is ignored without mode=http");
}

/* Templates set some of these to what of-watchdog does anyway; that is nobody's mistake. */
static void warn_of_classic_only(const struct env *env)
{
    static const struct {
        const char *name, *harmless;
    } ignored[] = {
        {"cgi_headers", "true"},  {"combine_output", "false"}, {"marshal_request", "false"},
        {"write_debug", "false"}, {"debug_headers", "false"},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(ignored); i++)
        if (*get(env, ignored[i].name) && strcmp(get(env, ignored[i].name), ignored[i].harmless))
            warn(env, ignored[i].name, "is ignored: it is of the classic mode only");
}

static int load_log_buffer_size(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *value = get(env, "log_buffer_size");
    int64_t n = DEFAULT_LOG_BUFFER;

    if (is_set(env, "log_buffer_size") && faas_parse_i64(faas_str_from(value), &n, NULL) < 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "invalid log_buffer_size value \"%.40s\": not a whole number", value);
    if (n < 0 || n > MAX_LOG_BUFFER)
        n = MAX_LOG_BUFFER;
    c->log_buffer_size = n ? (uint64_t)n : DEFAULT_LOG_BUFFER;
    return 0;
}

static int load_paths(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *ready_path = get(env, "ready_path");
    const char *upstream = get(env, "http_upstream_url");
    const char *root = is_set(env, "static_path") ? get(env, "static_path") : "/home/app/public";

    if (!*upstream)
        upstream = get(env, "upstream_url");
    if (c->mode == WD_HTTP && !*upstream)
        return faas_fail(
            err, FAAS_ERR_INVALID,
            "http_upstream_url (or upstream_url) is not set: it says where the function "
            "listens, for example http://127.0.0.1:3000");
    if (c->mode == WD_STATIC && !*root)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "static_path is empty: it names the folder to serve");
    if (*ready_path && *ready_path != '/')
        return faas_fail(err, FAAS_ERR_INVALID, "ready_path=\"%.80s\" does not begin with /",
                         ready_path);
    c->upstream_url = dup_or_null(upstream);
    c->static_path = dup_or_null(root);
    c->static_listing = get_bool(env, "static_listing", true);
    c->static_max_list = *get(env, "static_max_list") ? get_limit(env, "static_max_list") : 10000;
    c->ready_path = dup_or_null(ready_path);
    return 0;
}

/* What of-watchdog has no settings for. */
static int load_http(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *sigterm = get(env, "forward_sigterm");

    c->upstream_start_timeout_ms = get_timeout(env, "upstream_start_timeout", DEFAULT_START_MS);
    c->upstream_idle_timeout_ms = get_timeout(env, "upstream_idle_timeout", DEFAULT_IDLE_MS);
    c->stop_timeout_ms = get_timeout(env, "stop_timeout", DEFAULT_STOP_MS);
    c->restart_on_exit = get_bool(env, "restart_on_exit", false);
    c->restart_max_delay_ms = get_timeout(env, "restart_max_delay", DEFAULT_RESTART_MS);
    c->sigterm_at_once = strcmp(sigterm, "at_once") == 0;
    if (*sigterm && !c->sigterm_at_once && strcmp(sigterm, "after_drain") != 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "forward_sigterm=\"%.40s\" is neither after_drain nor at_once", sigterm);
    return 0;
}

static int load_of_watchdog(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    const char *type = get(env, "content_type");

    warn_of_classic_only(env);
    c->content_type = faas_strdup(*type ? type : "application/octet-stream");
    c->cgi_headers = true;
    c->http_buffer_req_body =
        get_bool(env, "http_buffer_req_body", false) || get_bool(env, "buffer_http", false);
    c->prefix_logs = get_go_bool(env, "prefix_logs", true);
    c->kill_on_disconnect = get_go_bool(env, "kill_on_disconnect", true);
    c->log_callid = get_go_bool(env, "log_callid", false) || get_go_bool(env, "log_call_id", false);
    if (load_log_buffer_size(c, env, err) < 0 || load_http(c, env, err) < 0)
        return -1;
    return load_paths(c, env, err);
}

int wd_config_load(struct wd_config *c, char *const *envp, enum wd_family program,
                   struct faas_error *err)
{
    struct env env = {.entries = envp, .config = c};

    c->listen_fd = -1;
    if (load_mode(c, &env, program, err) < 0 || load_command(c, &env, err) < 0 ||
        load_listeners(c, &env, err) < 0 || load_limits(c, &env, err) < 0 ||
        load_timeouts(c, &env, err) < 0 || load_jwt(c, &env, err) < 0)
        return -1;
    c->lock_path = wd_lock_path(envp);
    c->suppress_lock = get_bool(&env, "suppress_lock", false);
    if (env.of_watchdog)
        return load_of_watchdog(c, &env, err);
    load_classic(c, &env);
    return 0;
}

void wd_config_deinit(struct wd_config *c)
{
    free(c->fprocess);
    free(c->content_type);
    free(c->lock_path);
    free(c->upstream_url);
    free(c->static_path);
    free(c->ready_path);
    free(c->jwt_gateway);
    free(c->jwt_subject);
    faas_strv_deinit(&c->warnings);
    *c = (struct wd_config){.listen_fd = -1};
}

char *wd_lock_path(char *const *envp)
{
    const char *dir = lookup(envp, "TMPDIR");

    return faas_asprintf("%s/.lock", dir && *dir ? dir : "/tmp");
}
