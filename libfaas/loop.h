/* One epoll loop, run by one thread: descriptors, timers, and messages from
 * other threads. Everything here except faas_loop_post() and faas_loop_stop() is
 * called on the loop's own thread (or before it runs); asserted.
 *
 * Watchers and timers are embedded in their owner's struct and zero-initialised. */
#ifndef FAAS_LOOP_H
#define FAAS_LOOP_H

#include "libfaas/clock.h"
#include "libfaas/error.h"
#include "libfaas/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct faas_loop;

/* clock is borrowed; NULL means the system's. */
struct faas_loop *faas_loop_new(const struct faas_clock *clock, struct faas_error *err);
void faas_loop_free(struct faas_loop *loop); /* undelivered messages are dropped, not run */
/* When the loop will not run any more: runs what was posted since, so that it lets go of what it
 * holds. True: there was something, and it may have posted elsewhere. */
bool faas_loop_deliver(struct faas_loop *loop);

void faas_loop_run(struct faas_loop *loop);  /* until stop */
void faas_loop_stop(struct faas_loop *loop); /* any thread; run returns after the current turn */
/* For tests: turns until pred(arg) or limit_ms of real time passed. True: pred held. */
bool faas_loop_run_until(struct faas_loop *loop, bool (*pred)(void *arg), void *arg,
                         int64_t limit_ms);
/* True on the thread that runs the loop, and anywhere while nobody runs it. */
bool faas_loop_is_current(const struct faas_loop *loop);
const struct faas_clock *faas_loop_clock(const struct faas_loop *loop);
/* Monotonic milliseconds, read once per turn (and afresh while the loop is not running). */
int64_t faas_loop_now_ms(const struct faas_loop *loop);

/* --- descriptors --- */
struct faas_io {
    int fd;
    uint32_t events; /* what is watched now */
    void (*fn)(void *arg, uint32_t events);
    void *arg;
    uint32_t slot; /* private */
    bool active;
};

/* Watches fd for epoll events (EPOLLIN | EPOLLET …). io stays where it is until del. */
FAAS_NODISCARD int faas_io_add(struct faas_loop *loop, struct faas_io *io, int fd, uint32_t events,
                               void (*fn)(void *arg, uint32_t events), void *arg,
                               struct faas_error *err);
/* Costs nothing when events are what they were, unless they hold EPOLLET or EPOLLONESHOT: then the
 * descriptor is armed again. */
void faas_io_mod(struct faas_loop *loop, struct faas_io *io, uint32_t events);
/* Always before close(fd): closing alone does not end a registration while a process that is just
 * being started holds a copy of fd. Nothing of this io is delivered afterwards, not even from the
 * events that were already fetched. Harmless on an io that is not active. */
void faas_io_del(struct faas_loop *loop, struct faas_io *io);

/* --- timers: one shot --- */
struct faas_timer {
    int64_t due_ms;
    uint64_t seq;   /* private */
    size_t heap_at; /* 1-based; 0: not running */
    void (*fn)(void *arg);
    void *arg;
};

/* Starts or moves. Delay 0 (or less) fires in the next turn. Timers due at the same millisecond
 * fire in the order in which they were started. */
void faas_timer_start(struct faas_loop *loop, struct faas_timer *t, int64_t delay_ms,
                      void (*fn)(void *arg), void *arg);
void faas_timer_stop(struct faas_loop *loop, struct faas_timer *t);
static inline bool faas_timer_running(const struct faas_timer *t)
{
    return t->heap_at != 0;
}

/* --- once per turn, before waiting --- */
struct faas_hook {
    struct faas_list node;
    /* Returns the longest wait it can bear in ms, or -1. Called again before the wait if it
     * started work (returned 0). */
    int64_t (*fn)(void *arg);
    void *arg;
};

void faas_hook_add(struct faas_loop *loop, struct faas_hook *hook, int64_t (*fn)(void *arg),
                   void *arg);
void faas_hook_del(struct faas_loop *loop, struct faas_hook *hook);

/* --- messages --- */
/* Runs fn(arg) on the loop's thread, in the order of posting. Any thread, never blocks. The poster
 * makes sure that the loop is still there: whoever frees a loop first stops those who post to it.
 */
void faas_loop_post(struct faas_loop *loop, void (*fn)(void *arg), void *arg);

/* --- signals as messages --- */
/* Blocks signo in the calling thread (call it before threads start) and reports it on the loop. A
 * second call for the same signo replaces the first; signo stays blocked when the loop is gone. */
FAAS_NODISCARD int faas_loop_signal(struct faas_loop *loop, int signo,
                                    void (*fn)(void *arg, int signo), void *arg,
                                    struct faas_error *err);

#endif
