#include "watchdog/jwt_keys.h"

#include "libfaas/alloc.h"
#include "watchdog/jwt_discovery.h"

#define FIRST_RETRY_MS 250
#define LAST_RETRY_MS  4000

struct wd_jwt_keys {
    struct wd_jwt_keys_opts opts;
    struct wd_jobs jobs;
    struct faas_list waiters;
    bool fetching;
    int64_t fetched_ms; /* when the set came */
    int64_t next_ms;    /* not before it */
    int64_t retry_ms;   /* after the next failure */
    uint64_t generation;
    char *issuer;
    struct faas_jwk_set *set; /* NULL: none yet */

    /* until the first set is there */
    void (*on_ready)(void *arg, const struct faas_error *err);
    void *ready_arg;
    int64_t give_up_ms;
    int64_t start_retry_ms;
    struct faas_timer timer;
};

static int64_t now_ms(const struct wd_jwt_keys *keys)
{
    return faas_loop_now_ms(keys->opts.loop);
}

struct wd_jwt_keys *wd_jwt_keys_new(const struct wd_jwt_keys_opts *opts)
{
    struct wd_jwt_keys *keys = faas_new(struct wd_jwt_keys);

    keys->opts = *opts;
    if (!keys->opts.discover)
        keys->opts.discover = wd_jwt_discover;
    keys->retry_ms = opts->retry_ms;
    wd_jobs_init(&keys->jobs, opts->loop);
    faas_list_init(&keys->waiters);
    return keys;
}

void wd_jwt_keys_free(struct wd_jwt_keys *keys)
{
    if (!keys)
        return;
    faas_timer_stop(keys->opts.loop, &keys->timer);
    faas_list_for_each (&keys->waiters, node)
        faas_list_remove(node);
    wd_jobs_deinit(&keys->jobs);
    faas_jwk_set_free(keys->set);
    free(keys->issuer);
    free(keys);
}

const struct faas_jwk_set *wd_jwt_keys_set(const struct wd_jwt_keys *keys)
{
    return keys->set;
}

const char *wd_jwt_keys_issuer(const struct wd_jwt_keys *keys)
{
    return keys->issuer;
}

uint64_t wd_jwt_keys_generation(const struct wd_jwt_keys *keys)
{
    return keys->generation;
}

/* --- what came of a fetch --- */

static void log_keys(const struct wd_jwt_keys *keys, const struct faas_strv *skipped)
{
    wd_logf(keys->opts.log, "JWT keys: %zu of issuer %.120s", faas_jwk_set_len(keys->set),
            keys->issuer);
    faas_strv_for_each(skipped, line) wd_logf(keys->opts.log, "JWT keys: left out: %s", *line);
}

static int install(struct wd_jwt_keys *keys, struct faas_str result, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv skipped = {0};
    struct faas_jwk_set *set;
    struct faas_str jwks;
    const char *issuer;

    if (wd_jwt_discovered(result, &issuer, &jwks, err) < 0)
        return -1;
    set = faas_jwk_set_parse(jwks, &skipped, err);
    if (!set)
        return faas_error_wrap(err, "jwks_uri");
    /* Later on it is what the issuer wants: every key has been withdrawn. */
    if (!keys->set && faas_jwk_set_len(set) == 0) {
        faas_jwk_set_free(set);
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "there is no key that can check a token%s%s",
                         skipped.len ? ": " : "", skipped.len ? skipped.items[0] : "");
    }
    faas_jwk_set_free(keys->set);
    free(keys->issuer);
    keys->set = set;
    keys->issuer = faas_strdup(issuer);
    keys->generation++;
    log_keys(keys, &skipped);
    return 0;
}

static void wake_waiters(struct wd_jwt_keys *keys)
{
    struct faas_list all;

    /* Those that wait again are not woken again. */
    faas_list_init(&all);
    while (!faas_list_empty(&keys->waiters)) {
        struct faas_list *node = keys->waiters.next;

        faas_list_remove(node);
        faas_list_append(&all, node);
    }
    while (!faas_list_empty(&all)) {
        struct wd_jwt_waiter *w = FAAS_CONTAINER_OF(all.next, struct wd_jwt_waiter, node);

        faas_list_remove(&w->node);
        w->fn(w->arg);
    }
}

static void name_gateway(const struct wd_jwt_keys *keys, struct faas_error *err)
{
    _cleanup_free_ char *url = wd_jwt_configuration_url(keys->opts.gateway);

    if (!strstr(err->msg, url)) /* the job's own errors name it */
        faas_error_wrap(err, "%.120s", url);
}

static void try_to_start(void *arg);

static void tell_ready(struct wd_jwt_keys *keys, const struct faas_error *err)
{
    void (*fn)(void *arg, const struct faas_error *err) = keys->on_ready;

    keys->on_ready = NULL;
    fn(keys->ready_arg, err);
}

static void start_failed(struct wd_jwt_keys *keys, struct faas_error *err)
{
    char wait[32];

    if (now_ms(keys) + keys->start_retry_ms >= keys->give_up_ms) {
        tell_ready(keys, err);
        return;
    }
    faas_format_go_duration(keys->start_retry_ms * 1000000, wait);
    wd_logf(keys->opts.log, "JWT keys: %s; trying again in %s", err->msg, wait);
    faas_timer_start(keys->opts.loop, &keys->timer, keys->start_retry_ms, try_to_start, keys);
    keys->start_retry_ms = FAAS_MIN(keys->start_retry_ms * 2, (int64_t)LAST_RETRY_MS);
}

static void fetch_failed(struct wd_jwt_keys *keys, struct faas_error *err)
{
    name_gateway(keys, err);
    if (keys->on_ready) {
        start_failed(keys, err);
        return;
    }
    wd_logf(keys->opts.log, "JWT keys: %s; those from before are kept", err->msg);
    keys->next_ms = now_ms(keys) + keys->retry_ms;
    keys->retry_ms = FAAS_MIN(keys->retry_ms * 2, keys->opts.pause_ms);
}

static void on_fetched(void *arg, struct faas_str result, const struct faas_error *job_err)
{
    struct wd_jwt_keys *keys = arg;
    struct faas_error err = job_err ? *job_err : (struct faas_error){0};

    keys->fetching = false;
    if (job_err || install(keys, result, &err) < 0) {
        fetch_failed(keys, &err);
    } else {
        keys->fetched_ms = now_ms(keys);
        keys->next_ms = keys->on_ready ? 0 : keys->fetched_ms + keys->opts.pause_ms;
        keys->retry_ms = keys->opts.retry_ms;
        if (keys->on_ready)
            tell_ready(keys, NULL);
    }
    wake_waiters(keys);
}

/* --- fetching --- */

static void on_no_process(void *arg)
{
    struct wd_jwt_keys *keys = arg;
    struct faas_error err = {0};

    faas_fail(&err, FAAS_ERR_UNAVAILABLE, "no process for it");
    on_fetched(keys, FAAS_STR(""), &err);
}

static void fetch(struct wd_jwt_keys *keys)
{
    const struct wd_job_spec spec = {
        .run = keys->opts.discover,
        .input = keys->opts.gateway,
        .max_result = WD_DISCOVERY_MAX,
        .limit_ms = keys->opts.fetch_limit_ms,
        .on_end = on_fetched,
        .arg = keys,
    };
    struct faas_error err;

    keys->fetching = true;
    if (wd_job_start(&keys->jobs, &spec, &err) == 0)
        return;
    wd_logf(keys->opts.log, "JWT keys: %s", err.msg);
    faas_timer_start(keys->opts.loop, &keys->timer, 0, on_no_process, keys);
}

static void try_to_start(void *arg)
{
    fetch(arg);
}

void wd_jwt_keys_start(struct wd_jwt_keys *keys,
                       void (*on_ready)(void *arg, const struct faas_error *err), void *arg)
{
    keys->on_ready = on_ready;
    keys->ready_arg = arg;
    keys->give_up_ms = now_ms(keys) + keys->opts.start_limit_ms;
    keys->start_retry_ms = FIRST_RETRY_MS;
    fetch(keys);
}

static bool may_fetch(const struct wd_jwt_keys *keys)
{
    return !keys->fetching && now_ms(keys) >= keys->next_ms;
}

bool wd_jwt_keys_wait(struct wd_jwt_keys *keys, struct wd_jwt_waiter *w, void (*fn)(void *arg),
                      void *arg)
{
    if (may_fetch(keys))
        fetch(keys);
    else if (!keys->fetching)
        return false;
    w->fn = fn;
    w->arg = arg;
    faas_list_init(&w->node);
    faas_list_append(&keys->waiters, &w->node);
    return true;
}

void wd_jwt_waiter_leave(struct wd_jwt_waiter *w)
{
    if (w->fn)
        faas_list_remove(&w->node);
}

void wd_jwt_keys_used(struct wd_jwt_keys *keys)
{
    if (now_ms(keys) - keys->fetched_ms >= keys->opts.max_age_ms && may_fetch(keys))
        fetch(keys);
}
