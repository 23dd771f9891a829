#include "cli/run.h"

#include "libfaas/alloc.h"
#include "libfaas/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

extern char **environ;

/* Ours with the additions, which win. */
static void build_environment(struct faas_strv *out, const struct faas_map *extra)
{
    static const struct faas_map none;

    if (!extra)
        extra = &none;
    for (char **e = environ; e && *e; e++) {
        struct faas_str rest = faas_str_from(*e);
        _cleanup_free_ char *name = faas_str_dup(faas_str_split(&rest, '='));

        if (!faas_map_get(extra, name))
            faas_strv_add(out, *e);
    }
    faas_map_for_each (extra, e)
        faas_strv_addf(out, "%s=%s", e->key, e->value);
}

static void give_lines(const struct cli_run *r, struct faas_buf *pending, bool at_end)
{
    struct faas_str rest = faas_buf_str(pending);
    ptrdiff_t feed;

    while ((feed = faas_str_find(rest, '\n')) >= 0)
        r->line(r->arg, faas_str_split(&rest, '\n'));
    if (at_end && rest.len > 0) {
        r->line(r->arg, rest);
        rest.len = 0;
    }
    faas_buf_consume(pending, pending->len - rest.len);
}

static int read_output(const struct cli_run *r, int fd, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf pending = {0};

    for (;;) {
        ssize_t n = read(fd, faas_buf_reserve(&pending, 16384), 16384);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read from %s", r->argv[0]);
        pending.len += (size_t)n;
        give_lines(r, &pending, n == 0);
        if (n == 0)
            return 0;
    }
}

static void wait_for(struct faas_process *p, int *status)
{
    struct pollfd exited = {.fd = p->pidfd, .events = POLLIN};

    while (!faas_process_reap(p, status))
        poll(&exited, 1, -1);
}

int cli_run(const struct cli_run *r, int *status, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_find_executable(r->argv[0], getenv("PATH"), err);
    _cleanup_strv_ struct faas_strv environment = {0};
    struct faas_process process;
    int fds[2] = {-1, STDOUT_FILENO};
    int rc;

    if (!path)
        return -1;
    if (r->line && pipe2(fds, O_CLOEXEC) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "pipe");
    fflush(stdout);
    build_environment(&environment, r->environment);
    rc = faas_spawn(
        &(struct faas_spawn){.path = path,
                             .argv = r->argv,
                             .envp = environment.items,
                             .stdio = {-1, fds[1], r->with_stderr ? fds[1] : STDERR_FILENO},
                             .cwd = r->cwd,
                             .in_our_group = !r->uninterrupted,
                             .death_signal = SIGTERM},
        &process, err);
    if (r->line)
        close(fds[1]);
    if (rc == 0) {
        rc = r->line ? read_output(r, fds[0], err) : 0;
        wait_for(&process, status);
    }
    if (r->line)
        close(fds[0]);
    return rc;
}

int cli_run_checked(const struct cli_run *r, struct faas_error *err)
{
    char how[64];
    int status = 0;

    if (cli_run(r, &status, err) < 0)
        return faas_error_wrap(err, "cannot run %s", r->argv[0]);
    if (status == 0)
        return 0;
    faas_format_exit(status, how);
    return faas_fail(err, FAAS_ERR_INTERNAL, "%s %s ended with %s", r->argv[0],
                     r->argv[1] ? r->argv[1] : "", how);
}

static void collect(void *arg, struct faas_str line)
{
    struct faas_buf *out = arg;

    faas_buf_append_str(out, line);
    faas_buf_append_c(out, '\n');
}

char *cli_run_capture(char *const *argv, const char *cwd, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf out = {0};
    const struct cli_run r = {
        .argv = argv, .cwd = cwd, .with_stderr = true, .line = collect, .arg = &out};
    struct faas_str text;
    char how[64];
    int status;

    if (cli_run(&r, &status, err) < 0)
        return NULL;
    text = faas_str_trim(faas_buf_str(&out));
    if (status != 0) {
        faas_format_exit(status, how);
        faas_fail(err, FAAS_ERR_INTERNAL, "%s: %s: %.*s", argv[0], how, FAAS_STR_FMT(text));
        return NULL;
    }
    return faas_str_dup(text);
}

void cli_drop_line(void *arg, struct faas_str line)
{
    (void)arg;
    (void)line;
}

void cli_shell_append(struct faas_buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";

    if (*word && word[strspn(word, plain)] == '\0') {
        faas_buf_append_z(out, word);
        return;
    }
    faas_buf_append_c(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            faas_buf_append_z(out, "'\\''");
        else
            faas_buf_append_c(out, *word);
    }
    faas_buf_append_c(out, '\'');
}
