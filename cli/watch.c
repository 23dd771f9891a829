#include "cli/watch.h"

#include "cli/gitignore.h"
#include "cli/options.h"
#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum {
    EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
    /* Saving is several events: wait until it is quiet, but not for ever. */
    QUIET_MS = 40,
    MOST_MS = 1000,
};

/* What a signal finds: a step, which nothing else can interrupt, or somebody who waits. */
static volatile sig_atomic_t in_step;
static volatile sig_atomic_t stopping;

struct watch {
    int fd;
    struct faas_strv dirs; /* by watch descriptor; "" where there is none */
    struct cli_gitignore ignored;
    struct cli_stack stack;
    struct faas_strv changed; /* functions */
    bool stack_changed;
};

/* What has happened to a file, in the words that are shown. */
static const char *verb(uint32_t mask)
{
    if (mask & IN_CREATE)
        return "create";
    if (mask & (IN_DELETE | IN_MOVED_FROM))
        return "remove";
    return mask & IN_MOVED_TO ? "rename" : "write";
}

static bool is_editors_own(const char *name)
{
    static const char *const globs[] = {"*.swp", "*.swx", "*~", "4913", ".#*", "#*#"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(globs); i++)
        if (fnmatch(globs[i], name, 0) == 0)
            return true;
    return false;
}

static const char *without_dot(const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        for (path += 2; *path == '/'; path++)
            ;
    return path;
}

static bool counts(const struct watch *w, const char *path, const char *name, bool is_dir)
{
    return !is_editors_own(name) && strcmp(name, ".git") != 0 &&
           !cli_gitignore_matches(&w->ignored, without_dot(path), is_dir);
}

/* Builds and templates are made here, whichever handler the folder belongs to. */
static bool is_ours(const char *path)
{
    const char *p = without_dot(path);

    return strcmp(p, "build") == 0 || strcmp(p, "template") == 0;
}

static void remember_dir(struct watch *w, int wd, const char *path)
{
    while (w->dirs.len <= (size_t)wd)
        faas_strv_add(&w->dirs, "");
    free(w->dirs.items[wd]);
    w->dirs.items[wd] = faas_strdup(path);
}

/* Adds the folder and all below it. One that has gone in between is none. */
static int watch_tree(struct watch *w, const char *path, struct faas_error *err)
{
    int wd = inotify_add_watch(w->fd, path, EVENTS | IN_ONLYDIR);
    struct dirent *entry;
    DIR *dir;
    int rc = 0;

    if (wd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot watch %s", path);
    remember_dir(w, wd, path);
    dir = opendir(path);
    while (rc == 0 && dir && (entry = readdir(dir))) {
        _cleanup_free_ char *sub = faas_asprintf("%s/%s", path, entry->d_name);
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (lstat(sub, &st) == 0 && S_ISDIR(st.st_mode) && !is_ours(sub) &&
            counts(w, sub, entry->d_name, true))
            rc = watch_tree(w, sub, err);
    }
    if (dir)
        closedir(dir);
    return rc;
}

static int watch_handler(struct watch *w, const char *handler, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_strdup(handler ? handler : "");

    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    return *path ? watch_tree(w, path, err) : 0;
}

/* Editors replace files, so it is the folder that tells of a stack file. */
static int watch_stack_file(struct watch *w, const char *file, struct faas_error *err)
{
    const char *slash = strrchr(file, '/');
    _cleanup_free_ char *dir =
        slash ? faas_strndup(file, (size_t)(slash - file)) : faas_strdup(".");
    int wd;

    if (strstr(file, "://"))
        return 0;
    wd = inotify_add_watch(w->fd, *dir ? dir : "/", EVENTS | IN_ONLYDIR);
    if (wd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot watch %s", dir);
    remember_dir(w, wd, slash ? dir : "");
    return 0;
}

static int watch_stack_files(struct watch *w, struct faas_error *err)
{
    for (size_t i = 0; i < w->stack.files.len; i++)
        if (watch_stack_file(w, w->stack.files.items[i], err) < 0)
            return -1;
    return 0;
}

static bool is_stack_file(const struct watch *w, const char *path)
{
    for (size_t i = 0; i < w->stack.files.len; i++)
        if (strcmp(without_dot(path), without_dot(w->stack.files.items[i])) == 0)
            return true;
    return false;
}

static void close_watch(struct watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    faas_strv_deinit(&w->dirs);
    faas_strv_deinit(&w->changed);
    cli_gitignore_deinit(&w->ignored);
    cli_stack_deinit(&w->stack);
    *w = (struct watch){.fd = -1};
}

static int open_watch(struct watch *w, struct cli *cli, bool envsubst, struct faas_error *err)
{
    *w = (struct watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (w->fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "inotify");
    if (cli_gitignore_load(&w->ignored, err) < 0 ||
        cli_load_stack(cli, envsubst, &w->stack, err) < 0)
        return -1;
    if (w->stack.n_functions == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "--watch needs functions in a stack file");
    /* The handlers first: the stack file's folder may be one. */
    for (size_t i = 0; i < w->stack.n_functions; i++)
        if (watch_handler(w, w->stack.functions[i].handler, err) < 0)
            return -1;
    return watch_stack_files(w, err);
}

static bool lies_in(const char *path, const char *folder)
{
    size_t len;

    path = without_dot(path);
    folder = without_dot(folder);
    len = strlen(folder);
    while (len > 0 && folder[len - 1] == '/')
        len--;
    if (len == 0 || (len == 1 && folder[0] == '.'))
        return *path != '/';
    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* Notes whose function the path is part of, and says so. */
static void note_change(struct watch *w, const char *path, uint32_t mask)
{
    const char *owner = NULL;
    size_t n = 0;

    if (is_stack_file(w, path)) {
        if (!w->stack_changed)
            cli_print("[Watch] %zu functions: %s %s\n", w->stack.n_functions, verb(mask), path);
        w->stack_changed = true;
        return;
    }
    for (size_t i = 0; i < w->stack.n_functions; i++) {
        const struct cli_function *fn = &w->stack.functions[i];

        if (!fn->handler || !lies_in(path, fn->handler))
            continue;
        n++;
        if (!faas_strv_has(&w->changed, fn->name)) {
            faas_strv_add(&w->changed, fn->name);
            owner = fn->name;
        }
    }
    if (owner && n == 1)
        cli_print("[Watch] %s: %s %s\n", owner, verb(mask), path);
    else if (owner)
        cli_print("[Watch] %zu functions: %s %s\n", n, verb(mask), path);
}

static void take_event(struct watch *w, const struct inotify_event *e)
{
    const char *dir = e->wd >= 0 && (size_t)e->wd < w->dirs.len ? w->dirs.items[e->wd] : "";
    _cleanup_free_ char *path = NULL;
    bool is_dir = (e->mask & IN_ISDIR) != 0;

    if (e->mask & IN_Q_OVERFLOW) {
        w->stack_changed = true; /* too much to tell apart */
        return;
    }
    if (e->len == 0)
        return;
    path = *dir ? faas_asprintf("%s/%s", dir, e->name) : faas_strdup(e->name);
    if (is_ours(path) || !counts(w, path, e->name, is_dir))
        return;
    if (is_dir && (e->mask & (IN_CREATE | IN_MOVED_TO)))
        (void)!watch_tree(w, path, NULL);
    note_change(w, path, e->mask);
}

static void take_events(struct watch *w)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;

    while ((n = read(w->fd, events, sizeof(events))) > 0) {
        const char *at = events;

        while (at < events + n) {
            const struct inotify_event *e = (const struct inotify_event *)at;

            take_event(w, e);
            at += sizeof(*e) + e->len;
        }
    }
}

static bool has_changes(const struct watch *w)
{
    return w->stack_changed || w->changed.len > 0;
}

/* Waits with the signals let in. */
static void wait_for_changes(struct watch *w, const sigset_t *open_mask)
{
    struct pollfd in = {.fd = w->fd, .events = POLLIN};
    int64_t since_ms;

    while (!has_changes(w) && !stopping) {
        ppoll(&in, 1, NULL, open_mask);
        take_events(w);
    }
    since_ms = faas_now_ms(&faas_system_clock);
    while (!stopping && faas_now_ms(&faas_system_clock) - since_ms < MOST_MS &&
           poll(&in, 1, QUIET_MS) > 0)
        take_events(w);
}

static void tell_start(const struct watch *w)
{
    _cleanup_buf_ struct faas_buf names = {0};

    for (size_t i = 0; i < w->stack.n_functions; i++)
        faas_buf_printf(&names, "%s%s", i ? ", " : "", w->stack.functions[i].name);
    cli_print("[Watch] monitoring %zu functions: %s\n", w->stack.n_functions, names.data);
}

static void tell_failure(const struct faas_error *err)
{
    if (*err->msg)
        cli_print_error(err->msg);
    cli_print("[Watch] That failed; waiting for the next change.\n");
}

/* Reads the stack file anew. While it cannot be read, what it said before is watched. */
static int reopen(struct watch *w, struct cli *cli, bool envsubst, struct faas_error *err)
{
    struct watch anew;

    if (open_watch(&anew, cli, envsubst, err) < 0) {
        close_watch(&anew);
        return -1;
    }
    close_watch(w);
    *w = anew;
    tell_start(w);
    return 0;
}

/* What is done again and again. */
struct job {
    struct cli *cli;
    bool envsubst;
    int (*step)(struct cli *cli, void *arg, struct faas_error *err);
    void *arg;
    sigset_t open_mask; /* lets SIGINT and SIGTERM in */
};

static void run_step(const struct job *j)
{
    int64_t start_ms = faas_now_ms(&faas_system_clock);
    struct faas_error err = {0};
    sigset_t blocked;
    int rc;

    in_step = 1;
    sigprocmask(SIG_SETMASK, &j->open_mask, &blocked);
    rc = j->step(j->cli, j->arg, &err);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    in_step = 0;
    if (rc < 0)
        tell_failure(&err);
    else
        cli_print("[Watch] Done in %.2fs. Edit a handler or the stack file; Ctrl-C ends this.\n",
                  (double)(faas_now_ms(&faas_system_clock) - start_ms) / 1000);
}

static void next_round(struct watch *w, const struct job *j)
{
    struct faas_error err = {0};
    bool all;

    wait_for_changes(w, &j->open_mask);
    if (stopping)
        return;
    all = w->stack_changed;
    faas_strv_deinit(&j->cli->only);
    if (!all)
        faas_strv_copy(&j->cli->only, &w->changed);
    faas_strv_deinit(&w->changed);
    w->stack_changed = false;
    if (all && reopen(w, j->cli, j->envsubst, &err) < 0)
        tell_failure(&err);
    else
        run_step(j);
}

/* The children of a step have a death signal. */
static void leave(int signo)
{
    (void)signo;
    if (in_step)
        _exit(0);
    stopping = 1;
}

static void catch_signals(sigset_t *before)
{
    const struct sigaction action = {.sa_handler = leave};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, before);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_watch_run(struct cli *cli, bool envsubst,
                  int (*step)(struct cli *cli, void *arg, struct faas_error *err), void *arg,
                  struct faas_error *err)
{
    struct job job = {.cli = cli, .envsubst = envsubst, .step = step, .arg = arg};
    struct watch w;
    int rc = open_watch(&w, cli, envsubst, err);

    if (rc == 0) {
        catch_signals(&job.open_mask);
        tell_start(&w);
        run_step(&job);
        while (!stopping)
            next_round(&w, &job);
        sigprocmask(SIG_SETMASK, &job.open_mask, NULL);
    }
    close_watch(&w);
    return rc;
}
