/* A local provider on a state directory of its own, whose replicas run this very
 * test program as their watchdog; for tests with real processes. Nothing here sleeps: each wait is
 * for a published snapshot or a change of state, with a limit far beyond what it takes. */
#ifndef FAAS_TESTS_LOCAL_STAGE_H
#define FAAS_TESTS_LOCAL_STAGE_H

#include "libfaas/tar.h"
#include "providers/local/local.h"
#include "tests/unit/stand_in_watchdog.h"
#include "tests/unit/tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define STAGE_WAIT_S 20

struct stage {
    const char *dir;
    struct faas_provider p;
    void *options;
    struct faas_log_sink sink;
    struct faas_log log;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct faas_snapshot *seen;
    struct faas_buf logged;
};

static inline void stage_publish(void *arg, struct faas_snapshot *snapshot)
{
    struct stage *s = arg;

    pthread_mutex_lock(&s->lock);
    faas_snapshot_unref(s->seen);
    s->seen = snapshot;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static inline void stage_log(void *self, struct faas_str line)
{
    struct stage *s = self;

    pthread_mutex_lock(&s->lock);
    faas_buf_append_str(&s->logged, line);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static inline void stage_init(struct stage *s, const char *dir)
{
    *s = (struct stage){.dir = dir};
    s->sink = (struct faas_log_sink){.write = stage_log, .self = s};
    s->log = (struct faas_log){.sink = &s->sink, .clock = &faas_system_clock, .component = "test"};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    assert_int_equal(chmod(dir, 0711), 0);
}

/* settings: NULL-ended "name=value", before the test's own defaults. */
static inline int stage_open(struct stage *s, const char *const *settings, struct faas_error *err)
{
    const struct faas_provider_ops *ops = &faas_local_provider;
    const struct faas_provider_env env = {
        .log = &s->log,
        .clock = &faas_system_clock,
        .state_dir = s->dir,
        .gateway_url = "http://127.0.0.1:8080",
        .publisher = {.publish = stage_publish, .arg = s},
        .options = s->options = faas_zalloc(ops->options_size),
    };
    _cleanup_strv_ struct faas_strv environment = {0};
    char *argv[] = {(char *)"test", NULL};
    int argc = 1;

    for (; settings && *settings; settings++)
        faas_strv_add(&environment, *settings);
    faas_strv_add(&environment, "watchdog=/proc/self/exe");
    faas_strv_add(&environment, "restart_min_wait=10ms");
    if (faas_opt_parse(ops->options, ops->n_options, s->options, &argc, argv, environment.items,
                       err) < 0)
        return -1;
    return faas_provider_open(&s->p, ops, &env, err);
}

static inline void stage_close(struct stage *s)
{
    const struct faas_provider_ops *ops = &faas_local_provider;

    faas_provider_close(&s->p);
    if (s->options)
        faas_opt_deinit(ops->options, ops->n_options, s->options);
    free(s->options);
    s->options = NULL;
}

static inline void stage_deinit(struct stage *s)
{
    stage_close(s);
    faas_snapshot_unref(s->seen);
    faas_buf_deinit(&s->logged);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

static inline void stage_must_open(struct stage *s, const char *const *settings)
{
    struct faas_error err = {0};

    if (stage_open(s, settings, &err) < 0)
        fail_msg("open: %s", err.msg);
}

/* --- bundles and functions --- */

/* Descriptor of a tar that holds the folder; closed by the caller. */
static inline int stage_tar(const char *dir)
{
    char path[] = "/tmp/minnow-tar-XXXXXX";
    int fd = mkstemp(path);
    struct faas_error err = {0};

    assert_true(fd >= 0);
    unlink(path);
    if (faas_tar_create(dir, fd, &err) < 0)
        fail_msg("tar: %s", err.msg);
    return fd;
}

/* Stores a bundle with this fprocess, whose environment says version=... */
static inline int stage_push(struct stage *s, const char *image, const char *fprocess,
                             const char *version, struct faas_error *err)
{
    char dir[] = "/tmp/minnow-bundle-XXXXXX";
    _cleanup_free_ char *manifest = NULL;
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_close_ int fd = -1;
    struct faas_image stored = {0};
    int rc;

    assert_non_null(mkdtemp(dir));
    manifest = faas_asprintf("%s/bundle.json", dir);
    faas_buf_printf(&text,
                    "{\"version\":1,\"fprocess\":\"%s\",\"environment\":{\"version\":\"%s\"}}",
                    fprocess, version);
    assert_int_equal(faas_file_replace(manifest, faas_buf_str(&text), 0600, err), 0);
    fd = stage_tar(dir);
    assert_int_equal(faas_remove_tree(dir, err), 0);
    rc = faas_provider_image_put(&s->p, image, fd, &stored, err);
    faas_image_deinit(&stored);
    return rc;
}

static inline void stage_must_push(struct stage *s, const char *image, const char *fprocess,
                                   const char *version)
{
    struct faas_error err = {0};

    if (stage_push(s, image, fprocess, version, &err) < 0)
        fail_msg("push: %s", err.msg);
}

/* A spec with short shutdown times; its strings are the caller's literals. */
static inline struct faas_function_spec stage_spec(const char *name, const char *image)
{
    struct faas_function_spec spec = {
        .service = faas_strdup(name),
        .image = faas_strdup(image),
    };

    faas_map_set(&spec.env, "healthcheck_interval", "100ms");
    faas_map_set(&spec.env, "write_timeout", "200ms");
    return spec;
}

static inline void stage_must_deploy(struct stage *s, const char *name, const char *image)
{
    struct faas_function_spec spec = stage_spec(name, image);
    struct faas_error err = {0};

    if (faas_provider_deploy(&s->p, &spec, &err) < 0)
        fail_msg("%s", err.msg);
    faas_function_spec_deinit(&spec);
}

static inline void stage_must_update(struct stage *s, const char *name, const char *image)
{
    struct faas_function_spec spec = stage_spec(name, image);
    struct faas_error err = {0};

    if (faas_provider_update(&s->p, &spec, &err) < 0)
        fail_msg("%s", err.msg);
    faas_function_spec_deinit(&spec);
}

static inline void stage_must_scale(struct stage *s, const char *name, uint64_t n)
{
    struct faas_error err = {0};

    if (faas_provider_scale(&s->p, name, NULL, n, &err) < 0)
        fail_msg("%s", err.msg);
}

/* --- waiting --- */

static inline struct timespec stage_deadline(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += STAGE_WAIT_S;
    return t;
}

/* Endpoints of the published function; -1: it is not there. Under the lock. */
static inline int stage_endpoints(const struct stage *s, const char *name)
{
    const struct faas_fn *fn =
        s->seen ? faas_snapshot_find(s->seen, faas_str_from(name), FAAS_STR(FAAS_DEFAULT_NAMESPACE))
                : NULL;

    return fn ? (int)fn->n_endpoints : -1;
}

/* Blocks until the published function has n endpoints (-1: is gone). */
static inline void stage_await(struct stage *s, const char *name, int n)
{
    const struct timespec until = stage_deadline();
    int rc = 0, have;

    pthread_mutex_lock(&s->lock);
    while ((have = stage_endpoints(s, name)) != n && rc == 0)
        rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    if (rc != 0)
        print_error("%s\n", s->logged.data);
    pthread_mutex_unlock(&s->lock);
    if (rc != 0)
        fail_msg("%s has %d endpoints, not %d", name, have, n);
}

/* Blocks until the provider's log holds text. */
static inline void stage_await_logged(struct stage *s, const char *text)
{
    const struct timespec until = stage_deadline();
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    while (!(s->logged.data && strstr(s->logged.data, text)) && rc == 0)
        rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    if (rc != 0)
        fail_msg("nothing logged \"%s\": %s", text, s->logged.data);
}

/* Blocks until a process (no child of ours, perhaps) has ended. */
static inline void stage_await_end(pid_t pid)
{
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (fd >= 0 && poll(&p, 1, STAGE_WAIT_S * 1000) != 1)
        fail_msg("process %d does not end", (int)pid);
}

/* --- calls --- */

/* 0 and the reply, or the errno of what failed (EPIPE: it hung up without a word). */
static inline int stage_exchange(const struct faas_addr *addr, const char *path,
                                 struct faas_buf *out)
{
    _cleanup_close_ int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = STAGE_WAIT_S};
    _cleanup_free_ char *request =
        faas_asprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    struct faas_error err = {0};
    ssize_t n;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (const struct sockaddr *)&addr->ss, addr->len) < 0)
        return errno;
    if (faas_write_all(fd, request, strlen(request), &err) < 0)
        return err.sys_errno;
    while ((n = read(fd, faas_buf_reserve(out, 4096), 4096)) != 0) {
        if (n < 0 && errno != EINTR)
            return errno;
        out->len += n > 0 ? (size_t)n : 0;
    }
    out->data[out->len] = '\0';
    return out->len > 0 ? 0 : EPIPE;
}

/* A reference to the at-th endpoint, modulo their number; NULL: there is none. */
static inline struct faas_endpoint *stage_pick(struct stage *s, const char *name, unsigned at)
{
    struct faas_endpoint *e = NULL;
    const struct faas_fn *fn;

    pthread_mutex_lock(&s->lock);
    fn = faas_snapshot_find(s->seen, faas_str_from(name), FAAS_STR(FAAS_DEFAULT_NAMESPACE));
    if (fn && fn->n_endpoints > 0)
        e = faas_endpoint_ref(fn->endpoints[at % fn->n_endpoints]);
    pthread_mutex_unlock(&s->lock);
    return e;
}

/* The body (heap) of a complete answer from the at-th endpoint, or NULL. */
static inline char *stage_call(struct stage *s, const char *name, unsigned at, const char *path)
{
    struct faas_endpoint *e = stage_pick(s, name, at);
    _cleanup_buf_ struct faas_buf reply = {0};
    const char *body = NULL;
    int rc = ENOENT;

    if (e)
        rc = stage_exchange(&e->addr, path, &reply);
    if (rc == 0)
        body = strstr(reply.data, "\r\n\r\n");
    if (!body)
        print_error("%s of %s: %s\n", path, e ? e->instance : name,
                    rc == 0 ? reply.data : strerror(rc));
    faas_endpoint_unref(e);
    return body ? faas_strdup(body + 4) : NULL;
}

static inline char *stage_get(struct stage *s, const char *name, const char *path)
{
    char *body = stage_call(s, name, 0, path);

    if (!body)
        fail_msg("%s does not answer %s", name, path);
    return body;
}

static inline void stage_assert_get(struct stage *s, const char *name, const char *path,
                                    const char *want)
{
    _cleanup_free_ char *body = stage_get(s, name, path);

    assert_string_equal(body, want);
}

static inline bool stage_has(const struct stage *s, const char *name, const struct faas_endpoint *e)
{
    const struct faas_fn *fn =
        faas_snapshot_find(s->seen, faas_str_from(name), FAAS_STR(FAAS_DEFAULT_NAMESPACE));

    for (size_t i = 0; fn && i < fn->n_endpoints; i++) {
        if (fn->endpoints[i] == e)
            return true;
    }
    return false;
}

/* Blocks until e (takes) is out of the published function and n are in. */
static inline void stage_await_without(struct stage *s, const char *name, struct faas_endpoint *e,
                                       int n)
{
    const struct timespec until = stage_deadline();
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    while ((stage_has(s, name, e) || stage_endpoints(s, name) != n) && rc == 0)
        rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    faas_endpoint_unref(e);
    if (rc != 0)
        fail_msg("%s keeps an endpoint that it should lose", name);
}

/* Has a replica end with this status, and blocks until another one is in its place. */
static inline void stage_crash(struct stage *s, const char *name, int status)
{
    _cleanup_free_ char *path = faas_asprintf("/exit/%d", status);
    struct faas_endpoint *e = stage_pick(s, name, 0);
    _cleanup_buf_ struct faas_buf none = {0};

    assert_non_null(e);
    assert_int_not_equal(stage_exchange(&e->addr, path, &none), 0);
    stage_await_without(s, name, e, 1);
}

/* --- leaks --- */

static inline size_t stage_count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline void stage_assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

#endif
