#include "watchdog/config.h"

#include "libfaas/alloc.h"

#include <unistd.h>

#define DEFAULT_TIMEOUT_MS   30000
#define DEFAULT_HEADER_BYTES (64 * 1024)
#define NS_PER_MS            INT64_C(1000000)
#define MAX_MS               (INT64_MAX / NS_PER_MS)

/* The first descriptor that is handed over, by systemd's protocol. */
#define LISTEN_FD 3

struct env {
    char *const *entries;
    struct wd_config *config;
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
    *out_ms = n <= 0 ? 0 : (n - 1) / NS_PER_MS + 1;
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

static bool get_bool(const struct env *env, const char *name, bool dflt)
{
    const char *value = get(env, name);

    if (!*value)
        return dflt;
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        warn(env, name, "is neither true nor false: taken as false");
    return strcmp(value, "true") == 0;
}

static uint64_t get_limit(const struct env *env, const char *name)
{
    const char *value = get(env, name);
    uint64_t n;

    if (!*value)
        return 0;
    if (faas_parse_u64(faas_str_from(value), &n, NULL) == 0)
        return n;
    warn(env, name, "is no whole number: there is no limit");
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

static int load_command(struct wd_config *c, const struct env *env, struct faas_error *err)
{
    c->mode = faas_strdup(get(env, "mode"));
    c->fprocess = faas_strdup(get(env, "fprocess"));
    if (!*c->fprocess)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "fprocess is not set: it names the program to run for each request, for "
                         "example fprocess=\"python3 index.py\"");
    if (*get(env, "function_process"))
        warn(env, "function_process", "is ignored: fprocess is what is run");
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

static void load_timeouts(struct wd_config *c, const struct env *env)
{
    c->read_timeout_ms = get_timeout(env, "read_timeout", DEFAULT_TIMEOUT_MS);
    c->write_timeout_ms = get_timeout(env, "write_timeout", DEFAULT_TIMEOUT_MS);
    c->exec_timeout_ms = get_timeout(env, "exec_timeout", 0);
    c->healthcheck_interval_ms = get_timeout(env, "healthcheck_interval", c->write_timeout_ms);
    if (c->exec_timeout_ms && c->write_timeout_ms && c->write_timeout_ms <= c->exec_timeout_ms)
        faas_strv_add(&c->warnings,
                      "Warning: write_timeout is not above exec_timeout: it may end connections "
                      "before the function has had its time");
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

int wd_config_load(struct wd_config *c, char *const *envp, struct faas_error *err)
{
    struct env env = {.entries = envp, .config = c};

    c->listen_fd = -1;
    if (load_command(c, &env, err) < 0 || load_listeners(c, &env, err) < 0 ||
        load_limits(c, &env, err) < 0)
        return -1;
    load_timeouts(c, &env);
    c->lock_path = wd_lock_path(envp);
    c->content_type = dup_or_null(get(&env, "content_type"));
    c->suppress_lock = get_bool(&env, "suppress_lock", false);
    c->cgi_headers = get_bool(&env, "cgi_headers", true);
    c->combine_output = get_bool(&env, "combine_output", true);
    c->marshal_request = get_bool(&env, "marshal_request", false);
    c->write_debug = get_bool(&env, "write_debug", false);
    c->debug_headers = get_bool(&env, "debug_headers", false);
    return 0;
}

void wd_config_deinit(struct wd_config *c)
{
    free(c->fprocess);
    free(c->mode);
    free(c->content_type);
    free(c->lock_path);
    faas_strv_deinit(&c->warnings);
    *c = (struct wd_config){.listen_fd = -1};
}

char *wd_lock_path(char *const *envp)
{
    const char *dir = lookup(envp, "TMPDIR");

    return faas_asprintf("%s/.lock", dir && *dir ? dir : "/tmp");
}
