#include "providers/local/leftovers.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "providers/local/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#define PIDS_DIR         ".pids"
#define STATE_FIELD      3 /* of /proc/<pid>/stat, counted from 1 */
#define START_TIME_FIELD 22

uint64_t local_process_start_time(pid_t pid)
{
    _cleanup_buf_ struct faas_buf text = {0};
    char path[64];
    struct faas_str rest, state;
    uint64_t ticks = 0;
    ptrdiff_t paren;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (faas_file_read(path, 4096, &text, NULL) < 0)
        return 0;
    /* The second field is the program's name, which may hold blanks and parentheses. */
    rest = faas_buf_str(&text);
    paren = faas_str_rfind(rest, ')');
    if (paren < 0)
        return 0;
    rest.ptr += paren + 1;
    rest.len -= (size_t)paren + 1;
    (void)faas_str_split(&rest, ' ');
    state = rest.ptr ? faas_str_split(&rest, ' ') : (struct faas_str){0};
    if (faas_str_eqz(state, "Z") || faas_str_eqz(state, "X"))
        return 0;
    for (int field = STATE_FIELD + 1; field < START_TIME_FIELD && rest.ptr; field++)
        (void)faas_str_split(&rest, ' ');
    if (!rest.ptr || faas_parse_u64(faas_str_split(&rest, ' '), &ticks, NULL) < 0)
        return 0;
    return ticks;
}

void local_leftover_note(const char *state_dir, const char *id, pid_t pid)
{
    _cleanup_free_ char *path = faas_asprintf("%s/run/" PIDS_DIR "/%s", state_dir, id);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd >= 0)
        dprintf(fd, "%d %" PRIu64 "\n", (int)pid, local_process_start_time(pid));
}

void local_leftover_forget(const char *state_dir, const char *id)
{
    _cleanup_free_ char *path = faas_asprintf("%s/run/" PIDS_DIR "/%s", state_dir, id);

    (void)unlink(path);
}

struct ending {
    const char *state_dir;
    int64_t limit_ms;
    const struct faas_log *log;
    struct faas_error *err;
};

static bool read_note(const char *path, pid_t *pid, uint64_t *start)
{
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_str rest;
    uint64_t number = 0;

    if (faas_file_read(path, 256, &text, NULL) < 0)
        return false;
    rest = faas_str_trim(faas_buf_str(&text));
    if (faas_parse_u64(faas_str_split(&rest, ' '), &number, NULL) < 0 || !rest.ptr ||
        faas_parse_u64(rest, start, NULL) < 0 || number < 2 || number > INT32_MAX || *start == 0)
        return false;
    *pid = (pid_t)number;
    return true;
}

/* Kills the process group of pid if it is still the process that was noted. */
static int end_process(const struct ending *e, pid_t pid, uint64_t start)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    /* Compared after opening: from here on the descriptor cannot mean another process. */
    if (pidfd < 0 || local_process_start_time(pid) != start)
        return 0;
    faas_log_warn(e->log, "ending a replica that an earlier gateway left behind",
                  FAAS_F_INT("pid", pid));
    if (kill(-pid, SIGKILL) < 0)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (poll(&p, 1, (int)e->limit_ms) == 0)
        return faas_fail(e->err, FAAS_ERR_UNAVAILABLE,
                         "process %d of an earlier gateway does not end", (int)pid);
    return 0;
}

static int end_noted(void *arg, const char *id)
{
    const struct ending *e = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/run/" PIDS_DIR "/%s", e->state_dir, id);
    uint64_t start = 0;
    pid_t pid = 0;

    if (read_note(path, &pid, &start) && end_process(e, pid, start) < 0)
        return -1;
    (void)unlink(path);
    return 0;
}

int local_leftovers_end(const char *state_dir, int64_t limit_ms, const struct faas_log *log,
                        struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/run/" PIDS_DIR, state_dir);
    struct ending e = {.state_dir = state_dir, .limit_ms = limit_ms, .log = log, .err = err};

    return local_each_name(dir, end_noted, &e, err);
}
