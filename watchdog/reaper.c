#include "watchdog/reaper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exits of our own children raise SIGCHLD as well; they are looked for together. */
#define SWEEP_DELAY_MS 20

static bool gets_orphans(void)
{
    int subreaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper);
}

/* A process that has exited, which stays to be collected; 0: there is none. */
static pid_t next_exited(void)
{
    siginfo_t info = {0};

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return 0;
    return info.si_pid;
}

/* The kernel shows one dead child at a time and would show it again. So one of ours, whose pidfd
 * has merely not been looked at yet, is told of its exit here; that collects it by its pidfd. */
static void sweep(void *arg)
{
    struct wd_reaper *r = arg;
    pid_t pid;

    while ((pid = next_exited()) > 0) {
        struct wd_child *child = wd_children_find(r->children, pid);

        if (pid == r->children->kept) { /* its owner is about to see it */
            faas_timer_start(r->children->loop, &r->timer, SWEEP_DELAY_MS, sweep, r);
            break;
        }
        if (child ? !wd_child_check_exit(child) : waitpid(pid, NULL, WNOHANG) != pid)
            break;
    }
}

static void on_sigchld(void *arg, int signo)
{
    struct wd_reaper *r = arg;

    (void)signo;
    if (!faas_timer_running(&r->timer))
        faas_timer_start(r->children->loop, &r->timer, SWEEP_DELAY_MS, sweep, r);
}

int wd_reaper_start(struct wd_reaper *r, struct wd_children *children, struct faas_error *err)
{
    *r = (struct wd_reaper){.children = children};
    if (!gets_orphans())
        return 0;
    return faas_loop_signal(children->loop, SIGCHLD, on_sigchld, r, err);
}

void wd_reaper_stop(struct wd_reaper *r)
{
    if (r->children)
        faas_timer_stop(r->children->loop, &r->timer);
}
