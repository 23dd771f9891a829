#include "gateway/async/async.h"

#include "gateway/async/finish_batch.h"
#include "gateway/async/schedule.h"
#include "gateway/async/sweep.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

#define QUEUE_ANNOTATION "com.openfaas.queue"

enum {
    MAX_BACKOFF_MS = 5000,
    MAX_SECRET = 4096,
    MAX_WAITING = 65536, /* callbacks; more than a worker has calls that are not over */
};

static int check_queue(const struct gw_async_config *cfg, struct faas_error *err)
{
    if (gw_is_queue_name(faas_str_from(cfg->queue)))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "async_queue=\"%.80s\" is not a queue's name: 1 to %d of a-z 0-9 - _",
                     cfg->queue, GW_MAX_QUEUE_NAME);
}

static int read_retry_policy(const struct gw_async_config *cfg, struct gw_retry_policy *out,
                             struct faas_error *err)
{
    *out = (struct gw_retry_policy){
        .attempts = cfg->retry_attempts,
        .min_wait_ms = cfg->retry_min_wait_ms,
        .max_wait_ms = FAAS_MAX(cfg->retry_max_wait_ms, cfg->retry_min_wait_ms),
        .jitter = (enum gw_jitter)cfg->retry_jitter,
    };
    if (!gw_retry_parse_codes(faas_str_from(cfg->retry_codes), out))
        return faas_fail(
            err, FAAS_ERR_INVALID,
            "async_retry_codes=\"%.80s\" is no list of up to %d statuses from 100 to 599",
            cfg->retry_codes, GW_MAX_RETRY_CODES);
    return 0;
}

static int read_secret(const struct gw_async_config *cfg, struct gw_async *a,
                       struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};

    if (!cfg->callback_secret_file[0])
        return 0;
    if (faas_file_read(cfg->callback_secret_file, MAX_SECRET, &text, err) < 0)
        return faas_error_wrap(err, "callback_secret_file");
    a->callback_secret = faas_str_dup(faas_str_trim(faas_buf_str(&text)));
    if (!a->callback_secret[0])
        return faas_fail(err, FAAS_ERR_INVALID, "callback_secret_file=%.160s is empty",
                         cfg->callback_secret_file);
    return 0;
}

struct gw_async *gw_async_open(struct gw *gw, struct faas_error *err)
{
    static const struct faas_family_def submitted = {FAAS_METRIC_COUNTER,
                                                     "gateway_async_submitted_total",
                                                     "Asynchronous calls offered, by outcome.",
                                                     {"queue", "outcome"}};
    static const struct faas_family_def finished = {FAAS_METRIC_COUNTER,
                                                    "gateway_async_finished_total",
                                                    "Asynchronous calls that are over, by state.",
                                                    {"queue", "state"}};
    static const struct faas_family_def attempts = {FAAS_METRIC_COUNTER,
                                                    "gateway_async_attempts_total",
                                                    "Attempts at asynchronous calls, by status.",
                                                    {"queue", "status"}};
    const struct gw_async_config *cfg = &gw->cfg->async;
    struct gw_async *a;

    if (!cfg->redis_url[0])
        return NULL;
    a = faas_new(struct gw_async);
    a->submitted = faas_metrics_family(gw->metrics, &submitted);
    if (faas_redis_url_parse(cfg->redis_url, &a->url, err) < 0) {
        faas_error_wrap(err, "redis_url");
        gw_async_free(a);
        return NULL;
    }
    a->finished = faas_metrics_family(gw->metrics, &finished);
    a->attempts = faas_metrics_family(gw->metrics, &attempts);
    if (check_queue(cfg, err) < 0 || read_retry_policy(cfg, &a->retry, err) < 0 ||
        read_secret(cfg, a, err) < 0 || gw_queue_rules_parse(&a->queues, cfg->queues, err) < 0) {
        gw_async_free(a);
        return NULL;
    }
    a->callbacks = gw_host_policy_new(cfg->callback_allow, cfg->callback_deny, err);
    if (a->callbacks)
        a->callers = faas_pool_new((unsigned)cfg->callback_max_inflight, MAX_WAITING, err);
    if (!a->callers) {
        gw_async_free(a);
        return NULL;
    }
    return a;
}

void gw_async_stop(struct gw_async *a)
{
    if (!a)
        return;
    faas_pool_free(a->callers);
    a->callers = NULL;
}

void gw_async_free(struct gw_async *a)
{
    if (!a)
        return;
    gw_async_stop(a);
    faas_redis_url_deinit(&a->url);
    gw_host_policy_free(a->callbacks);
    gw_queue_rules_deinit(&a->queues);
    free(a->callback_secret);
    free(a);
}

static void on_connect(void *arg)
{
    gw_sweep_connected(&((struct gw_async_loop *)arg)->store);
}

struct gw_async_loop *gw_async_loop_new(struct gw *gw, struct faas_loop *loop)
{
    const struct gw_async_config *cfg = &gw->cfg->async;
    struct gw_async_loop *a = faas_new(struct gw_async_loop);
    const struct faas_redis_opts opts = {
        .url = &gw->async->url,
        .pool = gw->pool,
        .name = "minnow-gateway",
        .connect_timeout_ms = cfg->redis_timeout_ms,
        .command_timeout_ms = cfg->redis_timeout_ms,
        .max_backoff_ms = MAX_BACKOFF_MS,
        .max_pending = (size_t)cfg->max_pending,
        .log = &gw->log,
        .scripts = gw_store_scripts,
        .n_scripts = gw_store_n_scripts,
        .on_connect = on_connect,
        .arg = a,
    };

    a->redis = faas_redis_new(loop, &opts);
    a->store = (struct gw_store){.redis = a->redis, .prefix = cfg->redis_prefix};
    a->store.ends = a->ends = gw_finish_batch_new(&a->store, loop);
    return a;
}

void gw_async_loop_free(struct gw_async_loop *a)
{
    if (!a)
        return;
    gw_finish_batch_free(a->ends);
    faas_redis_free(a->redis);
    free(a);
}

int64_t gw_async_now_ms(const struct gw *gw)
{
    return gw->clock->realtime_ns(gw->clock->self) / 1000000;
}

int gw_async_check_annotations(const struct faas_map *annotations, struct faas_error *err)
{
    _cleanup_(gw_schedule_freep) struct gw_schedule *schedule = NULL;
    struct gw_retry_policy ignored = {0};
    const char *queue = faas_map_get(annotations, QUEUE_ANNOTATION);

    if (queue && !gw_is_queue_name(faas_str_from(queue)))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "annotation " QUEUE_ANNOTATION
                         ": \"%.80s\" is not a queue's name: 1 to %d "
                         "of a-z 0-9 - _",
                         queue, GW_MAX_QUEUE_NAME);
    if (gw_retry_annotate(&ignored, annotations, err) < 0)
        return -1;
    if (!gw_schedule_given(annotations))
        return 0;
    schedule = gw_schedule_read(annotations, err);
    return schedule ? 0 : -1;
}

struct faas_str gw_async_queue(const struct gw *gw, const struct faas_fn *fn)
{
    const char *named = faas_map_get(&fn->annotations, QUEUE_ANNOTATION);

    if (named && gw_is_queue_name(faas_str_from(named)))
        return faas_str_from(named);
    return faas_str_from(gw->cfg->async.queue);
}

void gw_async_explain(struct faas_error *err, const char *not_done)
{
    static const struct {
        const char *word, *meaning;
    } known[] = {
        {"OOM", "Redis is full (maxmemory)"},
        {"READONLY", "this Redis is a read-only replica"},
        {"MISCONF", "Redis cannot write to its disk"},
        {"LOADING", "Redis is still loading its data"},
        {"NOAUTH", "Redis wants a password"},
        {"NOPERM", "Redis does not let its user do that"},
        {"NOSCRIPT", "Redis has forgotten its scripts"},
    };
    struct faas_error why = *err;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(known); i++)
        if (faas_redis_fails(&why, known[i].word)) {
            faas_fail(err, FAAS_ERR_UNAVAILABLE, "%s: %s", not_done, known[i].meaning);
            return;
        }
    faas_fail(err, FAAS_ERR_UNAVAILABLE, "%s, as far as is known: %.160s", not_done, why.msg);
}
