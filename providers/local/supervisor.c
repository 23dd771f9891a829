/* The thread that owns all functions, and how others talk to it. */
#include "libfaas/alloc.h"
#include "providers/local/function.h"
#include "providers/local/trash.h"

#include <signal.h>

#define PROBE_MAX_HEAD (16 * 1024)

void local_changed(struct local *l)
{
    l->dirty = true;
}

static void publish(struct local *l)
{
    struct faas_snapshot *s = faas_snapshot_new();

    faas_list_for_each (&l->functions, it) {
        if (!local_function_of(it)->removed)
            local_function_fill_snapshot(local_function_of(it), s);
    }
    l->env.publisher.publish(l->env.publisher.arg, s);
}

/* Everything that follows from what happened: replicas start and stop, one snapshot tells of all of
 * it, and only then are those that left it told to end. */
static void settle(struct local *l)
{
    faas_list_for_each (&l->functions, it) {
        local_function_settle(local_function_of(it));
    }
    if (l->dirty && !l->closing)
        publish(l);
    l->dirty = false;
    faas_list_for_each (&l->functions, it) {
        local_function_terminate(local_function_of(it));
        (void)local_function_reap(local_function_of(it));
    }
    if (l->closing && faas_list_empty(&l->functions))
        faas_loop_stop(l->loop);
}

static int64_t on_turn(void *arg)
{
    settle(arg);
    return -1;
}

struct call {
    struct local *local;
    void (*fn)(struct local *l, void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
};

static void answer(void *arg)
{
    struct call *c = arg;

    c->fn(c->local, c->arg);
    settle(c->local);
    pthread_mutex_lock(&c->lock);
    c->done = true;
    pthread_cond_signal(&c->answered);
    pthread_mutex_unlock(&c->lock);
}

void local_call(struct local *l, void (*fn)(struct local *l, void *arg), void *arg)
{
    struct call c = {
        .local = l,
        .fn = fn,
        .arg = arg,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .answered = PTHREAD_COND_INITIALIZER,
    };

    faas_loop_post(l->loop, answer, &c);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.answered, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_cond_destroy(&c.answered);
    pthread_mutex_destroy(&c.lock);
}

static void sweep_run(void *arg)
{
    const struct local *l = arg;

    local_trash_empty(l->state_dir);
}

static void sweep_done(void *arg)
{
    struct local *l = arg;

    l->janitor_busy = false;
    if (l->janitor_again)
        local_sweep(l);
}

void local_sweep(struct local *l)
{
    const struct faas_job job = {.run = sweep_run, .done = sweep_done, .arg = l};

    l->janitor_again = l->janitor_busy;
    if (!l->janitor_busy)
        l->janitor_busy = faas_pool_submit(l->janitor, l->loop, &job, NULL) == 0;
}

static void *supervise(void *arg)
{
    struct local *l = arg;

    faas_loop_run(l->loop);
    return NULL;
}

/* Signals are for the program's main loop, wherever that is. */
static int start_thread(struct local *l, struct faas_error *err)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&l->thread, NULL, supervise, l);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, rc, "start the supervisor thread");
    l->thread_running = true;
    pthread_setname_np(l->thread, "supervisor");
    return 0;
}

int local_supervisor_start(struct local *l, struct faas_error *err)
{
    const struct faas_upstream_opts probes = {
        .connect_timeout_ms = l->options->start_timeout_ms,
        .max_head = PROBE_MAX_HEAD,
    };

    l->loop = faas_loop_new(NULL, err);
    if (!l->loop)
        return -1;
    l->probes = faas_upstream_new(l->loop, &probes);
    l->janitor = faas_pool_new(1, 1, err);
    if (!l->janitor)
        return -1;
    faas_hook_add(l->loop, &l->hook, on_turn, l);
    return start_thread(l, err);
}

static void begin_stop(struct local *l, void *arg)
{
    (void)arg;
    l->closing = true;
    faas_list_for_each (&l->functions, it) {
        local_function_remove(local_function_of(it));
    }
}

void local_supervisor_stop(struct local *l)
{
    if (l->thread_running) {
        local_call(l, begin_stop, NULL);
        pthread_join(l->thread, NULL);
        l->thread_running = false;
    }
    if (l->janitor)
        faas_pool_free(l->janitor);
    if (l->probes)
        faas_upstream_free(l->probes);
    if (l->loop)
        faas_loop_free(l->loop);
    l->janitor = NULL;
    l->probes = NULL;
    l->loop = NULL;
}
