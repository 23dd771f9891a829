#include "libfaas/loop.h"

#include "libfaas/alloc.h"
#include "libfaas/timer_heap.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    EVENTS_PER_TURN = 256,
    /* A fake clock moves without telling epoll, and a predicate may come true on another thread. */
    FAKE_CLOCK_WAIT_MS = 1,
    RUN_UNTIL_WAIT_MS = 10,
};

/* What an event carries is a slot number and the slot's generation, never a pointer: an event that
 * was fetched before its watcher was deleted, or that comes from a registration which outlived its
 * watcher, finds another generation and is dropped. */
struct slot {
    struct faas_io *io; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct message {
    void (*fn)(void *arg);
    void *arg;
};

struct message_list {
    struct message *items;
    size_t len;
    size_t cap;
};

struct signal_watch {
    void (*fn)(void *arg, int signo);
    void *arg;
};

struct faas_loop {
    int epoll_fd;
    const struct faas_clock *clock;
    bool real_time;
    int64_t now_ms;
    _Atomic pthread_t owner; /* 0: not running */
    atomic_bool stop;

    struct slot *slots;
    uint32_t n_slots, cap_slots;
    uint32_t free_slot; /* 1-based; 0: none */

    struct faas_timer_heap timers;

    struct faas_list hooks;
    struct faas_list *next_hook; /* so that a hook may delete any hook */

    struct faas_io wake_io; /* an eventfd */
    pthread_mutex_t mailbox_lock;
    struct message_list mailbox;  /* under mailbox_lock */
    struct message_list draining; /* the loop's own; empty between turns */
    atomic_bool has_mail;

    struct faas_io signal_io;
    sigset_t signal_mask;
    struct signal_watch signals[NSIG];
};

static void on_wake(void *arg, uint32_t events);

struct faas_loop *faas_loop_new(const struct faas_clock *clock, struct faas_error *err)
{
    struct faas_loop *loop = faas_new(struct faas_loop);
    int wake_fd;

    loop->clock = clock ? clock : &faas_system_clock;
    loop->real_time = loop->clock->monotonic_ns == faas_system_clock.monotonic_ns;
    pthread_mutex_init(&loop->mailbox_lock, NULL);
    faas_list_init(&loop->hooks);
    sigemptyset(&loop->signal_mask);

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "create an event loop");
        goto fail;
    }
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
        faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "create an event loop's mailbox");
        goto fail;
    }
    if (faas_io_add(loop, &loop->wake_io, wake_fd, EPOLLIN, on_wake, loop, err) < 0) {
        close(wake_fd);
        goto fail;
    }
    return loop;
fail:
    faas_loop_free(loop);
    return NULL;
}

void faas_loop_free(struct faas_loop *loop)
{
    if (!loop)
        return;
    assert(atomic_load(&loop->owner) == 0);
    if (loop->wake_io.active)
        close(loop->wake_io.fd);
    if (loop->signal_io.active)
        close(loop->signal_io.fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    pthread_mutex_destroy(&loop->mailbox_lock);
    faas_timer_heap_deinit(&loop->timers);
    free(loop->mailbox.items);
    free(loop->draining.items);
    free(loop->slots);
    free(loop);
}

bool faas_loop_is_current(const struct faas_loop *loop)
{
    pthread_t owner = atomic_load_explicit(&loop->owner, memory_order_relaxed);

    return owner == 0 || owner == pthread_self();
}

static bool runs_here(const struct faas_loop *loop)
{
    return atomic_load_explicit(&loop->owner, memory_order_relaxed) == pthread_self();
}

const struct faas_clock *faas_loop_clock(const struct faas_loop *loop)
{
    return loop->clock;
}

int64_t faas_loop_now_ms(const struct faas_loop *loop)
{
    assert(faas_loop_is_current(loop));
    return runs_here(loop) ? loop->now_ms : faas_now_ms(loop->clock);
}

/* --- descriptors --- */

static uint32_t slot_take(struct faas_loop *loop, struct faas_io *io)
{
    uint32_t at;

    if (loop->free_slot) {
        at = loop->free_slot - 1;
        loop->free_slot = loop->slots[at].next_free;
    } else {
        if (loop->n_slots == loop->cap_slots) {
            loop->cap_slots = loop->cap_slots ? loop->cap_slots * 2 : 64;
            loop->slots = faas_reallocarray(loop->slots, loop->cap_slots, sizeof(*loop->slots));
        }
        at = loop->n_slots++;
        loop->slots[at] = (struct slot){0};
    }
    loop->slots[at].io = io;
    return at;
}

static void slot_release(struct faas_loop *loop, uint32_t at)
{
    struct slot *slot = &loop->slots[at];

    slot->io = NULL;
    slot->generation++;
    slot->next_free = loop->free_slot;
    loop->free_slot = at + 1;
}

static int control(struct faas_loop *loop, int op, const struct faas_io *io)
{
    uint64_t tag = (uint64_t)loop->slots[io->slot].generation << 32 | io->slot;
    struct epoll_event event = {.events = io->events, .data.u64 = tag};

    return epoll_ctl(loop->epoll_fd, op, io->fd, &event);
}

int faas_io_add(struct faas_loop *loop, struct faas_io *io, int fd, uint32_t events,
                void (*fn)(void *arg, uint32_t events), void *arg, struct faas_error *err)
{
    assert(faas_loop_is_current(loop));
    assert(!io->active);
    *io = (struct faas_io){.fd = fd, .events = events, .fn = fn, .arg = arg};
    io->slot = slot_take(loop, io);
    if (control(loop, EPOLL_CTL_ADD, io) < 0) {
        int error = errno;

        slot_release(loop, io->slot);
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, error, "watch descriptor %d", fd);
    }
    io->active = true;
    return 0;
}

void faas_io_mod(struct faas_loop *loop, struct faas_io *io, uint32_t events)
{
    int rc;

    assert(faas_loop_is_current(loop));
    assert(io->active);
    if (io->events == events && !(events & (EPOLLET | EPOLLONESHOT)))
        return;
    io->events = events;
    rc = control(loop, EPOLL_CTL_MOD, io);
    assert(rc == 0); /* it can only fail when fd was closed behind our back */
    (void)rc;
}

void faas_io_del(struct faas_loop *loop, struct faas_io *io)
{
    int rc;

    assert(faas_loop_is_current(loop));
    if (!io->active)
        return;
    rc = control(loop, EPOLL_CTL_DEL, io);
    assert(rc == 0); /* likewise; the number may belong to somebody else by now */
    (void)rc;
    slot_release(loop, io->slot);
    io->active = false;
}

static void deliver(struct faas_loop *loop, const struct epoll_event *event)
{
    const struct slot *slot = &loop->slots[(uint32_t)event->data.u64];

    if (slot->io && slot->generation == event->data.u64 >> 32)
        slot->io->fn(slot->io->arg, event->events);
}

/* --- timers --- */

void faas_timer_start(struct faas_loop *loop, struct faas_timer *t, int64_t delay_ms,
                      void (*fn)(void *arg), void *arg)
{
    int64_t due;

    if (__builtin_add_overflow(faas_loop_now_ms(loop), FAAS_MAX(delay_ms, (int64_t)0), &due))
        due = INT64_MAX;
    t->fn = fn;
    t->arg = arg;
    faas_timer_heap_set(&loop->timers, t, due);
}

void faas_timer_stop(struct faas_loop *loop, struct faas_timer *t)
{
    assert(faas_loop_is_current(loop));
    faas_timer_heap_remove(&loop->timers, t);
}

/* Timers that are started while this runs wait for the next turn: one that starts itself again with
 * delay 0 must not keep the loop here. They sort behind all that were there. */
static void fire_timers(struct faas_loop *loop)
{
    uint64_t limit = loop->timers.next_seq;
    struct faas_timer *t;

    while ((t = faas_timer_heap_first(&loop->timers)) && t->due_ms <= loop->now_ms &&
           t->seq < limit) {
        faas_timer_heap_remove(&loop->timers, t);
        t->fn(t->arg);
    }
}

/* --- hooks --- */

void faas_hook_add(struct faas_loop *loop, struct faas_hook *hook, int64_t (*fn)(void *arg),
                   void *arg)
{
    assert(faas_loop_is_current(loop));
    hook->fn = fn;
    hook->arg = arg;
    faas_list_append(&loop->hooks, &hook->node);
    if (loop->next_hook == &loop->hooks)
        loop->next_hook = &hook->node;
}

void faas_hook_del(struct faas_loop *loop, struct faas_hook *hook)
{
    assert(faas_loop_is_current(loop));
    if (!hook->node.next)
        return;
    if (loop->next_hook == &hook->node)
        loop->next_hook = hook->node.next;
    faas_list_remove(&hook->node);
}

static int64_t shorter(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return FAAS_MAX(a, b);
    return FAAS_MIN(a, b);
}

static int64_t run_hooks(struct faas_loop *loop)
{
    int64_t wait = -1;

    for (struct faas_list *it = loop->hooks.next; it != &loop->hooks; it = loop->next_hook) {
        struct faas_hook *hook = FAAS_CONTAINER_OF(it, struct faas_hook, node);

        loop->next_hook = it->next;
        wait = shorter(wait, hook->fn(hook->arg));
    }
    loop->next_hook = NULL;
    return wait;
}

/* --- messages --- */

void faas_loop_post(struct faas_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct message_list *box = &loop->mailbox;
    bool was_empty;

    pthread_mutex_lock(&loop->mailbox_lock);
    was_empty = box->len == 0;
    if (box->len == box->cap) {
        box->cap = box->cap ? box->cap * 2 : 32;
        box->items = faas_reallocarray(box->items, box->cap, sizeof(*box->items));
    }
    box->items[box->len++] = (struct message){.fn = fn, .arg = arg};
    atomic_store(&loop->has_mail, true);
    /* The first message of a batch wakes the loop; on its own thread nobody sleeps. Written under
     * the lock: once the message can be taken, the loop may be on its way to being freed. */
    if (was_empty && !runs_here(loop))
        eventfd_write(loop->wake_io.fd, 1);
    pthread_mutex_unlock(&loop->mailbox_lock);
}

static void on_wake(void *arg, uint32_t events)
{
    struct faas_loop *loop = arg;
    eventfd_t count;

    (void)events;
    eventfd_read(loop->wake_io.fd, &count);
}

/* What is posted while the batch runs makes the next batch, so that descriptors and timers get
 * their turn in between. */
static void read_mail(struct faas_loop *loop)
{
    struct message_list batch;

    if (!atomic_load(&loop->has_mail))
        return;
    pthread_mutex_lock(&loop->mailbox_lock);
    batch = loop->mailbox;
    loop->mailbox = loop->draining;
    loop->draining = batch;
    atomic_store(&loop->has_mail, false);
    pthread_mutex_unlock(&loop->mailbox_lock);

    for (size_t i = 0; i < batch.len; i++)
        batch.items[i].fn(batch.items[i].arg);
    loop->draining.len = 0;
}

bool faas_loop_deliver(struct faas_loop *loop)
{
    bool any = atomic_load(&loop->has_mail);

    read_mail(loop);
    return any;
}

/* --- signals --- */

static void on_signal(void *arg, uint32_t events)
{
    struct faas_loop *loop = arg;
    struct signalfd_siginfo info;

    (void)events;
    while (read(loop->signal_io.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        const struct signal_watch *watch = &loop->signals[info.ssi_signo];

        if (watch->fn)
            watch->fn(watch->arg, (int)info.ssi_signo);
    }
}

int faas_loop_signal(struct faas_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg,
                     struct faas_error *err)
{
    int old_fd = loop->signal_io.active ? loop->signal_io.fd : -1;
    sigset_t mask = loop->signal_mask;
    int fd;

    assert(faas_loop_is_current(loop));
    if (signo <= 0 || signo >= NSIG)
        return faas_fail(err, FAAS_ERR_INVALID, "there is no signal %d", signo);
    sigaddset(&mask, signo);
    fd = signalfd(old_fd, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "watch signal %d", signo);
    if (old_fd < 0 && faas_io_add(loop, &loop->signal_io, fd, EPOLLIN, on_signal, loop, err) < 0) {
        close(fd);
        return -1;
    }
    loop->signals[signo] = (struct signal_watch){.fn = fn, .arg = arg};
    loop->signal_mask = mask;
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    return 0;
}

/* --- turning --- */

/* Rounded up: waking a little before a timer is due would only spin until it is. */
static int64_t until_first_timer(const struct faas_loop *loop)
{
    const struct faas_timer *t = faas_timer_heap_first(&loop->timers);
    int64_t now_ns, due_ns;

    if (!t)
        return -1;
    now_ns = loop->clock->monotonic_ns(loop->clock->self);
    if (__builtin_mul_overflow(t->due_ms, 1000000, &due_ns))
        return INT32_MAX;
    if (due_ns <= now_ns)
        return 0;
    return loop->real_time ? (due_ns - now_ns + 999999) / 1000000 : FAKE_CLOCK_WAIT_MS;
}

static void turn(struct faas_loop *loop, int64_t longest_wait)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int64_t wait = shorter(longest_wait, run_hooks(loop));
    int n;

    wait = shorter(wait, until_first_timer(loop));
    if (atomic_load(&loop->has_mail))
        wait = 0;
    n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN,
                   (int)FAAS_MIN(wait, INT64_C(0x7fffffff)));
    assert(n >= 0 || errno == EINTR);
    loop->now_ms = faas_now_ms(loop->clock);
    for (int i = 0; i < n; i++)
        deliver(loop, &events[i]);
    read_mail(loop);
    fire_timers(loop);
}

static void enter(struct faas_loop *loop)
{
    assert(atomic_load(&loop->owner) == 0);
    loop->now_ms = faas_now_ms(loop->clock);
    atomic_store(&loop->owner, pthread_self());
}

static void leave(struct faas_loop *loop)
{
    atomic_store(&loop->owner, (pthread_t)0);
}

void faas_loop_run(struct faas_loop *loop)
{
    enter(loop);
    while (!atomic_exchange(&loop->stop, false))
        turn(loop, -1);
    leave(loop);
}

void faas_loop_stop(struct faas_loop *loop)
{
    /* Under the lock for the reason given in faas_loop_post(). */
    pthread_mutex_lock(&loop->mailbox_lock);
    atomic_store(&loop->stop, true);
    eventfd_write(loop->wake_io.fd, 1);
    pthread_mutex_unlock(&loop->mailbox_lock);
}

bool faas_loop_run_until(struct faas_loop *loop, bool (*pred)(void *arg), void *arg,
                         int64_t limit_ms)
{
    int64_t end = faas_now_ms(&faas_system_clock) + limit_ms;
    bool held;

    enter(loop);
    while (!(held = pred(arg))) {
        int64_t left = end - faas_now_ms(&faas_system_clock);

        if (left <= 0)
            break;
        turn(loop, FAAS_MIN(left, (int64_t)RUN_UNTIL_WAIT_MS));
    }
    leave(loop);
    return held;
}
