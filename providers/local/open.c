/* From nothing to a running provider, and back. */
#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"
#include "providers/local/disk.h"
#include "providers/local/images.h"
#include "providers/local/internal.h"
#include "providers/local/leftovers.h"
#include "providers/local/state_dir.h"
#include "providers/local/trash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define WATCHDOG_NAME     "fwatchdog"
#define LEFTOVER_LIMIT_MS 10000

static char *watchdog_path(const struct local *l)
{
    char self[4096];
    ssize_t n;
    char *slash;

    if (l->options->watchdog && *l->options->watchdog)
        return faas_strdup(l->options->watchdog);
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return faas_strdup(WATCHDOG_NAME);
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    return faas_asprintf("%s/" WATCHDOG_NAME, self);
}

static int open_watchdog(struct local *l, struct faas_error *err)
{
    _cleanup_free_ char *path = watchdog_path(l);

    l->watchdog_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->watchdog_fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INVALID, errno, "option watchdog: open %s", path);
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
        return faas_fail_errno(err, FAAS_ERR_INVALID, errno, "option watchdog: run %s", path);
    return 0;
}

static int choose_users(struct local *l, struct faas_error *err)
{
    l->set_user = geteuid() == 0;
    if (local_parse_uids(l->options->function_uids, &l->first_uid, &l->last_uid, err) < 0)
        return -1;
    if (!l->set_user) {
        faas_log_info(&l->log, "functions run as this program's own user, not being root",
                      FAAS_F_INT("uid", geteuid()));
        return 0;
    }
    return local_state_dir_passable(l->state_dir, err);
}

static int open_state(struct local *l, struct faas_error *err)
{
    const struct local_logs_opts logs = {
        .state_dir = l->state_dir,
        .log = &l->log,
        .clock = l->env.clock,
        .max_size = l->options->log_max_size,
        .files = (unsigned)l->options->log_files,
    };

    l->lock_fd = local_state_dir_lock(l->state_dir, err);
    if (l->lock_fd < 0)
        return -1;
    if (local_trash_init(l->state_dir, err) < 0 || local_images_init(l->state_dir, err) < 0 ||
        local_logs_init(&l->logs, &logs, err) < 0)
        return -1;
    if (local_leftovers_end(l->state_dir, LEFTOVER_LIMIT_MS, &l->log, err) < 0)
        return -1;
    return local_state_dir_renew_run(l->state_dir, err);
}

void local_close(void *self)
{
    struct local *l = self;

    local_supervisor_stop(l);
    local_logs_deinit(&l->logs);
    pthread_mutex_destroy(&l->admin);
    faas_closep(&l->watchdog_fd);
    faas_closep(&l->lock_fd);
    free(l->state_dir);
    free(l->gateway_url);
    free(l);
}
FAAS_DEFINE_CLEANUP(struct local *, local_close);

static struct local *local_new(const struct faas_provider_env *env)
{
    struct local *l = faas_new(struct local);

    l->env = *env;
    if (!l->env.clock)
        l->env.clock = &faas_system_clock;
    l->log = faas_log_named(env->log, "local");
    l->options = env->options;
    l->state_dir = faas_strdup(env->state_dir);
    l->gateway_url = env->gateway_url ? faas_strdup(env->gateway_url) : NULL;
    l->lock_fd = l->watchdog_fd = -1;
    faas_list_init(&l->functions);
    pthread_mutex_init(&l->admin, NULL);
    return l;
}

int local_open(void **self, const struct faas_provider_env *env, struct faas_error *err)
{
    _cleanup_(local_closep) struct local *l = local_new(env);

    if (open_watchdog(l, err) < 0 || choose_users(l, err) < 0 || open_state(l, err) < 0 ||
        local_supervisor_start(l, err) < 0 || local_restore(l, err) < 0)
        return -1;
    {
        LOCAL_ADMIN(l);
        local_tidy(l);
    }
    *self = faas_steal_ptr(&l);
    return 0;
}

void local_info(void *self, struct faas_provider_info *out)
{
    (void)self;
    out->provider = "minnow-local";
    out->orchestration = "local";
}
