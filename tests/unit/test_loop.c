#include "libfaas/alloc.h"
#include "libfaas/loop.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 10000 };

static struct faas_loop *new_loop(const struct faas_clock *clock)
{
    struct faas_error err = {0};
    struct faas_loop *loop = faas_loop_new(clock, &err);

    if (!loop)
        fail_msg("%s", err.msg);
    return loop;
}

static void add(struct faas_loop *loop, struct faas_io *io, int fd, uint32_t events,
                void (*fn)(void *arg, uint32_t events), void *arg)
{
    struct faas_error err = {0};

    if (faas_io_add(loop, io, fd, events, fn, arg, &err) < 0)
        fail_msg("%s", err.msg);
}

static bool is_set(void *arg)
{
    return *(int *)arg != 0;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* A number of turns: every turn asks the predicate once. */
static bool countdown(void *arg)
{
    int *left = arg;

    return (*left)-- == 0;
}

static void turns(struct faas_loop *loop, int n)
{
    assert_true(faas_loop_run_until(loop, countdown, &n, LIMIT_MS));
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void count_event(void *arg, uint32_t events)
{
    (void)events;
    ++*(int *)arg;
}

/* --- descriptors --- */

struct watched {
    struct faas_loop *loop;
    struct faas_io io;
    int pipe[2];
    int *hits;
    struct watched **victim; /* freed when this one is hit */
};

static struct watched *watched_new(struct faas_loop *loop, int *hits)
{
    struct watched *w = faas_new(struct watched);

    w->loop = loop;
    w->hits = hits;
    assert_int_equal(pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    return w;
}

static void watched_free(struct watched *w)
{
    faas_io_del(w->loop, &w->io);
    close(w->pipe[0]);
    close(w->pipe[1]);
    free(w);
}

static void readable_then_drained(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    int hits = 0;
    struct watched *w = watched_new(loop, &hits);
    char byte;

    (void)state;
    add(loop, &w->io, w->pipe[0], EPOLLIN, count_event, &hits);
    turns(loop, 1);
    assert_int_equal(hits, 0);
    assert_int_equal(write(w->pipe[1], "x", 1), 1);
    turns(loop, 2);
    assert_int_equal(hits, 2); /* level-triggered */
    assert_int_equal(read(w->pipe[0], &byte, 1), 1);
    turns(loop, 1);
    assert_int_equal(hits, 2);
    watched_free(w);
    faas_loop_free(loop);
}

static void a_changed_mask_is_what_counts(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    int hits = 0;
    struct watched *w = watched_new(loop, &hits);

    (void)state;
    assert_int_equal(write(w->pipe[1], "x", 1), 1);
    add(loop, &w->io, w->pipe[0], 0, count_event, &hits);
    turns(loop, 1);
    assert_int_equal(hits, 0);
    faas_io_mod(loop, &w->io, EPOLLIN);
    turns(loop, 1);
    assert_int_equal(hits, 1);
    faas_io_mod(loop, &w->io, EPOLLIN | EPOLLET);
    turns(loop, 2);
    assert_int_equal(hits, 2);
    faas_io_mod(loop, &w->io, EPOLLIN | EPOLLET); /* armed again */
    turns(loop, 2);
    assert_int_equal(hits, 3);
    watched_free(w);
    faas_loop_free(loop);
}

static void what_cannot_be_watched_is_an_error(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct faas_error err = {0};
    struct faas_io io = {0};
    int hits = 0;

    (void)state;
    assert_int_equal(faas_io_add(loop, &io, 100000, EPOLLIN, count_event, &hits, &err), -1);
    assert_int_equal(err.sys_errno, EBADF);
    assert_non_null(strstr(err.msg, "100000"));
    assert_false(io.active);
    faas_io_del(loop, &io); /* harmless */
    faas_loop_free(loop);
}

static void free_victim(void *arg, uint32_t events)
{
    struct watched *w = arg;

    (void)events;
    ++*w->hits;
    if (*w->victim) {
        watched_free(*w->victim);
        *w->victim = NULL;
    }
    faas_io_mod(w->loop, &w->io, 0);
}

/* Two watchers ready in the same batch; the first to be served frees the other. */
static void events_of_a_deleted_watcher_are_dropped(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    int hits = 0;
    struct watched *a = watched_new(loop, &hits), *b = watched_new(loop, &hits);

    (void)state;
    a->victim = &b;
    b->victim = &a;
    add(loop, &a->io, a->pipe[0], EPOLLIN, free_victim, a);
    add(loop, &b->io, b->pipe[0], EPOLLIN, free_victim, b);
    assert_int_equal(write(a->pipe[1], "x", 1), 1);
    assert_int_equal(write(b->pipe[1], "x", 1), 1);
    turns(loop, 2);
    assert_int_equal(hits, 1);
    assert_true((a == NULL) != (b == NULL));
    watched_free(a ? a : b);
    faas_loop_free(loop);
}

struct recycler {
    struct watched *w[2];
    struct faas_io fresh;
    int fresh_pipe[2];
    int first, stale;
};

static void fail_if_hit(void *arg, uint32_t events)
{
    struct recycler *r = arg;

    (void)events;
    r->stale++;
}

static void recycle_the_other(void *arg, uint32_t events)
{
    struct recycler *r = arg;
    struct faas_loop *loop = r->w[0]->loop;
    struct watched *other;
    int me;

    (void)events;
    if (r->first++)
        return;
    /* Whichever came first: end both, then a new watcher takes over slot and descriptor number. */
    for (me = 0; me < 2; me++) {
        other = r->w[me];
        faas_io_del(loop, &other->io);
        close(other->pipe[0]);
        close(other->pipe[1]);
    }
    assert_int_equal(pipe2(r->fresh_pipe, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(r->fresh_pipe[0] == r->w[0]->pipe[0] || r->fresh_pipe[0] == r->w[1]->pipe[0]);
    add(loop, &r->fresh, r->fresh_pipe[0], EPOLLIN, fail_if_hit, r);
}

static void a_stale_event_never_hits_what_took_the_watchers_place(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct recycler r = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        r.w[i] = watched_new(loop, NULL);
        add(loop, &r.w[i]->io, r.w[i]->pipe[0], EPOLLIN, recycle_the_other, &r);
        assert_int_equal(write(r.w[i]->pipe[1], "x", 1), 1);
    }
    turns(loop, 3);
    assert_int_equal(r.first, 1);
    assert_int_equal(r.stale, 0);
    faas_io_del(loop, &r.fresh);
    close(r.fresh_pipe[0]);
    close(r.fresh_pipe[1]);
    free(r.w[0]);
    free(r.w[1]);
    faas_loop_free(loop);
}

/* What a child between clone and exec does to us: it holds a copy of the descriptor, so closing
 * ours would not end the registration. Deleting does. */
static void nothing_comes_through_a_copy_held_by_somebody_else(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    int hits = 0;
    struct watched *w = watched_new(loop, &hits);
    int copy = fcntl(w->pipe[0], F_DUPFD_CLOEXEC, 0);
    int writer = fcntl(w->pipe[1], F_DUPFD_CLOEXEC, 0);

    (void)state;
    add(loop, &w->io, w->pipe[0], EPOLLIN, count_event, &hits);
    watched_free(w);
    assert_int_equal(write(writer, "x", 1), 1);
    turns(loop, 3);
    assert_int_equal(hits, 0);
    close(copy);
    close(writer);
    faas_loop_free(loop);
}

static void many_ready_descriptors_are_all_served(void **state)
{
    enum { N = 400 }; /* more than one turn fetches */
    struct faas_loop *loop = new_loop(NULL);
    struct watched *w[N];
    int hits[N] = {0};

    (void)state;
    for (int i = 0; i < N; i++) {
        w[i] = watched_new(loop, &hits[i]);
        add(loop, &w[i]->io, w[i]->pipe[1], EPOLLOUT | EPOLLET, count_event, &hits[i]);
    }
    turns(loop, 3);
    for (int i = 0; i < N; i++) {
        assert_int_equal(hits[i], 1);
        watched_free(w[i]);
    }
    faas_loop_free(loop);
}

/* --- timers --- */

struct order {
    int *at;
    int mine;
};

static void note_order(void *arg)
{
    struct order *o = arg;

    o->mine = ++*o->at;
}

static void timers_follow_a_fake_clock(void **state)
{
    static const struct {
        int64_t delay_ms;
        int expected;
    } cases[] = {{50, 3}, {10, 1}, {INT64_MAX, 0}, {10, 2}, {100, 4}};
    struct faas_fake_clock clock;
    struct faas_timer timers[FAAS_ARRAY_LEN(cases)] = {0};
    struct order orders[FAAS_ARRAY_LEN(cases)];
    struct faas_loop *loop;
    int at = 0;

    (void)state;
    faas_fake_clock_init(&clock, 0);
    loop = new_loop(&clock.clock);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        orders[i] = (struct order){.at = &at};
        faas_timer_start(loop, &timers[i], cases[i].delay_ms, note_order, &orders[i]);
    }
    turns(loop, 2);
    assert_int_equal(at, 0);
    faas_fake_clock_advance_ms(&clock, 9);
    turns(loop, 2);
    assert_int_equal(at, 0);
    faas_fake_clock_advance_ms(&clock, 1);
    turns(loop, 1);
    assert_int_equal(at, 2);
    faas_fake_clock_advance_ms(&clock, 1000);
    turns(loop, 1);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        assert_int_equal(orders[i].mine, cases[i].expected);
        assert_int_equal(faas_timer_running(&timers[i]), cases[i].expected == 0);
    }
    faas_timer_stop(loop, &timers[2]);
    faas_loop_free(loop);
}

static void a_moved_timer_fires_once_at_its_new_time(void **state)
{
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct faas_timer t = {0}, stopped = {0};
    int hits = 0;

    (void)state;
    faas_fake_clock_init(&clock, 0);
    loop = new_loop(&clock.clock);
    faas_timer_start(loop, &t, 10, count, &hits);
    faas_timer_start(loop, &t, 30, count, &hits);
    faas_timer_start(loop, &stopped, 5, count, &hits);
    faas_timer_stop(loop, &stopped);
    faas_timer_stop(loop, &stopped); /* harmless */
    faas_fake_clock_advance_ms(&clock, 20);
    turns(loop, 2);
    assert_int_equal(hits, 0);
    faas_fake_clock_advance_ms(&clock, 20);
    turns(loop, 2);
    assert_int_equal(hits, 1);
    faas_loop_free(loop);
}

struct restarting {
    struct faas_loop *loop;
    struct faas_timer t;
    int hits;
};

static void restart(void *arg)
{
    struct restarting *r = arg;

    r->hits++;
    faas_timer_start(r->loop, &r->t, 0, restart, r);
}

static void a_timer_that_restarts_itself_fires_once_a_turn(void **state)
{
    struct restarting r = {.loop = new_loop(NULL)};

    (void)state;
    faas_timer_start(r.loop, &r.t, 0, restart, &r);
    turns(r.loop, 5);
    assert_int_equal(r.hits, 5);
    faas_timer_stop(r.loop, &r.t);
    faas_loop_free(r.loop);
}

static void free_owner(void *arg)
{
    free(arg);
}

static void a_timer_may_free_its_owner(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct restarting *r = faas_new(struct restarting);

    (void)state;
    faas_timer_start(loop, &r->t, 0, free_owner, r);
    turns(loop, 2);
    faas_loop_free(loop);
}

static void real_time_is_waited_for_and_not_overslept(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct faas_timer t = {0};
    int hits = 0;
    int64_t start = faas_now_ms(&faas_system_clock), took;

    (void)state;
    faas_timer_start(loop, &t, 30, count, &hits);
    assert_true(faas_loop_run_until(loop, is_set, &hits, LIMIT_MS));
    took = faas_now_ms(&faas_system_clock) - start;
    assert_true(took >= 30);
    assert_true(took < 5000); /* generous: the machine may be busy */
    assert_false(faas_loop_run_until(loop, never, NULL, 1));
    faas_loop_free(loop);
}

/* --- hooks --- */

struct busy_hook {
    struct faas_hook hook;
    struct faas_loop *loop;
    struct faas_hook *deletes;
    int64_t answer;
    int calls;
};

static int64_t call_hook(void *arg)
{
    struct busy_hook *h = arg;

    h->calls++;
    if (h->deletes)
        faas_hook_del(h->loop, h->deletes);
    return h->answer;
}

static void a_hook_bounds_the_wait(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct busy_hook busy = {.answer = 0}, idle = {.answer = -1};
    int64_t start = faas_now_ms(&faas_system_clock);
    int n = 1000;

    (void)state;
    faas_hook_add(loop, &idle.hook, call_hook, &idle);
    faas_hook_add(loop, &busy.hook, call_hook, &busy);
    /* Without the hook's 0 each of these turns would wait its full 10 ms. */
    assert_true(faas_loop_run_until(loop, countdown, &n, LIMIT_MS));
    assert_true(faas_now_ms(&faas_system_clock) - start < 9000);
    assert_int_equal(busy.calls, 1000);
    assert_int_equal(idle.calls, 1000);
    faas_hook_del(loop, &busy.hook);
    faas_hook_del(loop, &busy.hook); /* harmless */
    turns(loop, 1);
    assert_int_equal(busy.calls, 1000);
    assert_int_equal(idle.calls, 1001);
    faas_loop_free(loop);
}

static void a_hook_may_delete_any_hook(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct busy_hook h[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        h[i].loop = loop;
        faas_hook_add(loop, &h[i].hook, call_hook, &h[i]);
    }
    h[0].deletes = &h[0].hook; /* itself */
    h[1].deletes = &h[2].hook; /* the next */
    h[3].deletes = &h[1].hook; /* one before */
    turns(loop, 2);
    assert_int_equal(h[0].calls, 1);
    assert_int_equal(h[1].calls, 1);
    assert_int_equal(h[2].calls, 0);
    assert_int_equal(h[3].calls, 2);
    faas_loop_free(loop);
}

/* --- messages --- */

enum { POSTERS = 4, POSTS = 5000 };

struct poster {
    struct faas_loop *loop;
    pthread_t thread;
    int next; /* what must arrive next */
    int wrong;
    int *arrived;
    struct post {
        struct poster *poster;
        int number;
    } posts[POSTS];
};

static void on_post(void *arg)
{
    const struct post *post = arg;
    struct poster *p = post->poster;

    p->wrong += post->number != p->next++;
    p->wrong += !faas_loop_is_current(p->loop);
    if (++*p->arrived == POSTERS * POSTS)
        faas_loop_stop(p->loop);
}

static void *post_all(void *arg)
{
    struct poster *p = arg;

    if (faas_loop_is_current(p->loop))
        p->wrong++;
    for (int i = 0; i < POSTS; i++) {
        p->posts[i] = (struct post){.poster = p, .number = i};
        faas_loop_post(p->loop, on_post, &p->posts[i]);
    }
    return NULL;
}

static void start_posters(void *arg)
{
    struct poster *posters = arg;

    for (int i = 0; i < POSTERS; i++)
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
}

static void messages_of_many_threads_arrive_in_each_threads_order(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct poster *posters = faas_zalloc(POSTERS * sizeof(*posters));
    int arrived = 0;

    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].loop = loop;
        posters[i].arrived = &arrived;
    }
    faas_loop_post(loop, start_posters, posters);
    faas_loop_run(loop);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(arrived, POSTERS * POSTS);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(posters[i].wrong, 0);
    free(posters);
    faas_loop_free(loop);
}

struct echo {
    struct faas_loop *loop;
    int hits;
};

static void post_again(void *arg)
{
    struct echo *e = arg;

    e->hits++;
    faas_loop_post(e->loop, post_again, e);
}

static void a_message_posted_by_a_message_waits_for_the_next_turn(void **state)
{
    struct echo e = {.loop = new_loop(NULL)};
    int64_t start = faas_now_ms(&faas_system_clock);

    (void)state;
    faas_loop_post(e.loop, post_again, &e);
    turns(e.loop, 500);
    assert_int_equal(e.hits, 500);
    /* and no turn waited although nobody wrote to the eventfd */
    assert_true(faas_now_ms(&faas_system_clock) - start < 4000);
    faas_loop_free(e.loop); /* one message is never run */
}

static void *stop_it(void *arg)
{
    faas_loop_stop(arg);
    return NULL;
}

static void stop_wakes_a_sleeping_loop_and_is_not_lost_before_it_runs(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    pthread_t thread;

    (void)state;
    faas_loop_stop(loop);
    faas_loop_run(loop);
    pthread_create(&thread, NULL, stop_it, loop);
    faas_loop_run(loop);
    pthread_join(thread, NULL);
    faas_loop_free(loop);
}

/* --- signals --- */

static void note_signal(void *arg, int signo)
{
    *(int *)arg = signo;
}

static void set_to_null(void *arg)
{
    *(void **)arg = NULL;
}

static void post_another(void *arg)
{
    struct faas_loop **loop = arg;

    faas_loop_post(*loop, set_to_null, loop);
}

static void what_came_too_late_is_delivered_when_asked_for(void **state)
{
    struct faas_loop *loop = faas_loop_new(NULL, NULL), *held = loop;

    (void)state;
    assert_false(faas_loop_deliver(loop));
    faas_loop_post(loop, post_another, &held);
    assert_true(faas_loop_deliver(loop));
    assert_ptr_equal(held, loop);
    assert_true(faas_loop_deliver(loop)); /* what the first one has posted */
    assert_null(held);
    assert_false(faas_loop_deliver(loop));
    faas_loop_free(loop);
}

static void signals_become_messages(void **state)
{
    struct faas_loop *loop = new_loop(NULL);
    struct faas_error err = {0};
    int first = 0, second = 0, replaced = 0;

    (void)state;
    assert_int_equal(faas_loop_signal(loop, SIGUSR1, note_signal, &replaced, &err), 0);
    assert_int_equal(faas_loop_signal(loop, SIGUSR1, note_signal, &first, &err), 0);
    assert_int_equal(faas_loop_signal(loop, SIGUSR2, note_signal, &second, &err), 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    assert_true(faas_loop_run_until(loop, is_set, &second, LIMIT_MS));
    assert_int_equal(first, SIGUSR1);
    assert_int_equal(second, SIGUSR2);
    assert_int_equal(replaced, 0);
    assert_int_equal(faas_loop_signal(loop, 0, note_signal, &first, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    faas_loop_free(loop);
}

/* --- time --- */

struct clock_reader {
    struct faas_loop *loop;
    struct faas_fake_clock *clock;
    int64_t during;
};

static void read_clock(void *arg)
{
    struct clock_reader *r = arg;

    faas_fake_clock_advance_ms(r->clock, 500);
    r->during = faas_loop_now_ms(r->loop);
}

static void now_is_read_once_a_turn(void **state)
{
    struct faas_fake_clock clock;
    struct clock_reader r = {.clock = &clock};
    int64_t before;

    (void)state;
    faas_fake_clock_init(&clock, 0);
    r.loop = new_loop(&clock.clock);
    assert_ptr_equal(faas_loop_clock(r.loop), &clock.clock);
    before = faas_loop_now_ms(r.loop);
    faas_loop_post(r.loop, read_clock, &r);
    turns(r.loop, 1);
    assert_int_equal(r.during, before);
    assert_int_equal(faas_loop_now_ms(r.loop), before + 500);
    faas_loop_free(r.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_then_drained),
        cmocka_unit_test(a_changed_mask_is_what_counts),
        cmocka_unit_test(what_cannot_be_watched_is_an_error),
        cmocka_unit_test(events_of_a_deleted_watcher_are_dropped),
        cmocka_unit_test(a_stale_event_never_hits_what_took_the_watchers_place),
        cmocka_unit_test(nothing_comes_through_a_copy_held_by_somebody_else),
        cmocka_unit_test(many_ready_descriptors_are_all_served),
        cmocka_unit_test(timers_follow_a_fake_clock),
        cmocka_unit_test(a_moved_timer_fires_once_at_its_new_time),
        cmocka_unit_test(a_timer_that_restarts_itself_fires_once_a_turn),
        cmocka_unit_test(a_timer_may_free_its_owner),
        cmocka_unit_test(real_time_is_waited_for_and_not_overslept),
        cmocka_unit_test(a_hook_bounds_the_wait),
        cmocka_unit_test(a_hook_may_delete_any_hook),
        cmocka_unit_test(messages_of_many_threads_arrive_in_each_threads_order),
        cmocka_unit_test(a_message_posted_by_a_message_waits_for_the_next_turn),
        cmocka_unit_test(stop_wakes_a_sleeping_loop_and_is_not_lost_before_it_runs),
        cmocka_unit_test(what_came_too_late_is_delivered_when_asked_for),
        cmocka_unit_test(signals_become_messages),
        cmocka_unit_test(now_is_read_once_a_turn),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
