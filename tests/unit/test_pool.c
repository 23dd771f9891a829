#include "libfaas/pool.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT_MS = 20000, MANY = 200 };

static struct faas_loop *loop;

static int make_loop(void **state)
{
    (void)state;
    loop = faas_loop_new(NULL, NULL);
    return loop ? 0 : -1;
}

static int drop_loop(void **state)
{
    (void)state;
    faas_loop_free(loop);
    return 0;
}

static struct faas_pool *new_pool(unsigned threads, unsigned queue)
{
    struct faas_error err = {0};
    struct faas_pool *pool = faas_pool_new(threads, queue, &err);

    if (!pool)
        fail_msg("%s", err.msg);
    return pool;
}

/* A door in front of which jobs stand until the test opens it. */
struct door {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside, most_inside;
    bool open;
};

#define DOOR_INIT                                                              \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
    }

static void door_pass(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    d->inside++;
    d->most_inside = FAAS_MAX(d->most_inside, d->inside);
    pthread_cond_broadcast(&d->changed);
    while (!d->open)
        pthread_cond_wait(&d->changed, &d->lock);
    d->inside--;
    pthread_mutex_unlock(&d->lock);
}

static void door_open(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    d->open = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void door_await(struct door *d, int inside)
{
    pthread_mutex_lock(&d->lock);
    while (d->inside != inside)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

struct task {
    struct door *door;
    pthread_t ran_on, done_on;
    int *sequence;
    int place;
    int ran, done, dropped; /* deliberately plain: the hand-over must order them */
    atomic_int *left;
};

static void run_task(void *arg)
{
    struct task *t = arg;

    if (t->door)
        door_pass(t->door);
    if (t->sequence)
        t->place = (*t->sequence)++;
    t->ran_on = pthread_self();
    t->ran++;
}

static void task_done(void *arg)
{
    struct task *t = arg;

    assert_true(faas_loop_is_current(loop));
    t->done_on = pthread_self();
    t->done += t->ran;
    if (t->left)
        atomic_fetch_sub(t->left, 1);
}

static void drop_task(void *arg)
{
    struct task *t = arg;

    t->dropped++;
}

static int submit(struct faas_pool *pool, struct task *t, struct faas_error *err)
{
    struct faas_job job = {.run = run_task, .done = task_done, .drop = drop_task, .arg = t};

    return faas_pool_submit(pool, loop, &job, err);
}

static void must_submit(struct faas_pool *pool, struct task *t)
{
    struct faas_error err = {0};

    if (submit(pool, t, &err) < 0)
        fail_msg("%s", err.msg);
}

static bool is_done(void *arg)
{
    return ((struct task *)arg)->done;
}

static bool none_left(void *arg)
{
    return atomic_load((atomic_int *)arg) == 0;
}

static void a_job_runs_elsewhere_and_is_done_at_home(void **state)
{
    struct faas_pool *pool = new_pool(2, 8);
    struct task t = {0};

    (void)state;
    must_submit(pool, &t);
    assert_true(faas_loop_run_until(loop, is_done, &t, LIMIT_MS));
    assert_false(pthread_equal(t.ran_on, pthread_self()));
    assert_true(pthread_equal(t.done_on, pthread_self()));
    assert_int_equal(t.ran, 1);
    assert_int_equal(t.dropped, 0);
    faas_pool_free(pool);
}

static void jobs_run_side_by_side_up_to_the_limit(void **state)
{
    struct faas_pool *pool = new_pool(3, MANY);
    struct door door = DOOR_INIT;
    struct task tasks[MANY] = {0};
    atomic_int left = MANY;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        tasks[i] = (struct task){.door = &door, .left = &left};
        must_submit(pool, &tasks[i]);
    }
    door_await(&door, 3);
    door_open(&door);
    assert_true(faas_loop_run_until(loop, none_left, &left, LIMIT_MS));
    assert_int_equal(door.most_inside, 3);
    faas_pool_free(pool);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(tasks[i].done, 1);
}

static void one_thread_keeps_the_order(void **state)
{
    struct faas_pool *pool = new_pool(1, MANY);
    struct task tasks[MANY] = {0};
    atomic_int left = MANY;
    int sequence = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        tasks[i] = (struct task){.sequence = &sequence, .left = &left};
        must_submit(pool, &tasks[i]);
    }
    assert_true(faas_loop_run_until(loop, none_left, &left, LIMIT_MS));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(tasks[i].place, i);
    faas_pool_free(pool);
}

/* With queue 0 a job is taken exactly when a thread is free for it. */
static void a_full_queue_refuses_and_touches_nothing(void **state)
{
    static const unsigned queues[] = {0, 1, 3};

    (void)state;
    for (size_t q = 0; q < FAAS_ARRAY_LEN(queues); q++) {
        unsigned fit = 2 + queues[q];
        struct faas_pool *pool = new_pool(2, queues[q]);
        struct door door = DOOR_INIT;
        struct task tasks[5], refused = {0}, later = {0};
        struct faas_error err = {0};
        atomic_int left = (int)fit;

        for (unsigned i = 0; i < fit; i++) {
            tasks[i] = (struct task){.door = &door, .left = &left};
            must_submit(pool, &tasks[i]);
        }
        assert_int_equal(submit(pool, &refused, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
        assert_non_null(strstr(err.msg, "busy"));
        door_await(&door, 2);
        assert_int_equal(submit(pool, &refused, &err), -1);
        assert_non_null(strstr(err.msg, "2 jobs run"));

        door_open(&door);
        assert_true(faas_loop_run_until(loop, none_left, &left, LIMIT_MS));
        while (submit(pool, &later, &err) < 0) /* a thread may still be on its way back */
            assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
        assert_true(faas_loop_run_until(loop, is_done, &later, LIMIT_MS));
        faas_pool_free(pool);
        assert_int_equal(refused.ran + refused.done + refused.dropped, 0);
    }
}

struct late_opener {
    struct faas_pool *pool;
    struct door *door;
    struct task refused;
    char reason[256];
};

/* The queue is full, so no submit succeeds; the reason changes when the pool begins to stop. */
static void *open_once_the_pool_stops(void *arg)
{
    struct late_opener *o = arg;
    struct faas_error err = {0};

    do {
        assert_int_equal(submit(o->pool, &o->refused, &err), -1);
    } while (strncmp(err.msg, "busy", 4) == 0);
    snprintf(o->reason, sizeof(o->reason), "%s", err.msg);
    door_open(o->door);
    return NULL;
}

static void shutdown_ends_what_runs_and_drops_what_waits(void **state)
{
    struct faas_pool *pool = new_pool(1, 2);
    struct door door = DOOR_INIT;
    struct task running = {.door = &door}, waiting = {0}, without_drop = {0};
    struct faas_job job = {.run = run_task, .done = task_done, .arg = &without_drop};
    struct late_opener opener = {.pool = pool, .door = &door};
    pthread_t thread;

    (void)state;
    must_submit(pool, &running);
    door_await(&door, 1);
    must_submit(pool, &waiting);
    assert_int_equal(faas_pool_submit(pool, loop, &job, NULL), 0);
    pthread_create(&thread, NULL, open_once_the_pool_stops, &opener);
    faas_pool_free(pool);
    pthread_join(thread, NULL);

    assert_string_equal(opener.reason, "shutting down: no new work is taken");
    assert_true(faas_loop_run_until(loop, is_done, &running, LIMIT_MS));
    assert_int_equal(running.ran, 1);
    assert_int_equal(running.dropped, 0);
    assert_int_equal(waiting.ran + waiting.done, 0);
    assert_int_equal(waiting.dropped, 1);
    assert_int_equal(without_drop.ran, 0);
    assert_int_equal(opener.refused.ran + opener.refused.dropped, 0);
}

static void a_job_may_have_no_done(void **state)
{
    struct faas_pool *pool = new_pool(1, 1);
    struct door door = DOOR_INIT;
    struct task t = {.door = &door};
    struct faas_job job = {.run = run_task, .arg = &t};

    (void)state;
    assert_int_equal(faas_pool_submit(pool, NULL, &job, NULL), 0);
    door_await(&door, 1);
    door_open(&door);
    faas_pool_free(pool);
    assert_int_equal(t.ran, 1);
    assert_int_equal(t.done, 0);
}

static void a_pool_without_threads_is_refused(void **state)
{
    struct faas_error err = {0};

    (void)state;
    assert_null(faas_pool_new(0, 1, &err));
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    faas_pool_free(NULL);
}

struct submitter {
    struct faas_pool *pool;
    struct task tasks[MANY];
    pthread_t thread;
    int refused;
};

static void *submit_many(void *arg)
{
    struct submitter *s = arg;

    for (int i = 0; i < MANY; i++)
        s->refused += submit(s->pool, &s->tasks[i], NULL) < 0;
    return NULL;
}

static void many_threads_may_submit(void **state)
{
    static struct submitter submitters[3];
    struct faas_pool *pool = new_pool(2, 3 * MANY);
    atomic_int left = 3 * MANY;

    (void)state;
    for (int i = 0; i < 3; i++) {
        submitters[i] = (struct submitter){.pool = pool};
        for (int k = 0; k < MANY; k++)
            submitters[i].tasks[k].left = &left;
        pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]);
    }
    assert_true(faas_loop_run_until(loop, none_left, &left, LIMIT_MS));
    for (int i = 0; i < 3; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_int_equal(submitters[i].refused, 0);
    }
    faas_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_elsewhere_and_is_done_at_home),
        cmocka_unit_test(jobs_run_side_by_side_up_to_the_limit),
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(a_full_queue_refuses_and_touches_nothing),
        cmocka_unit_test(shutdown_ends_what_runs_and_drops_what_waits),
        cmocka_unit_test(a_job_may_have_no_done),
        cmocka_unit_test(a_pool_without_threads_is_refused),
        cmocka_unit_test(many_threads_may_submit),
    };
    return cmocka_run_group_tests_name("pool", tests, make_loop, drop_loop);
}
