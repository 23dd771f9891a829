#include "providers/local/function.h"

#include "libfaas/alloc.h"
#include "providers/describe.h"
#include "providers/local/disk.h"
#include "providers/local/images.h"
#include "providers/local/secrets.h"
#include "providers/local/trash.h"

#include <errno.h>
#include <sys/stat.h>

#define REASON_MAX 500

static char *run_path(const struct local *l, const struct faas_function_spec *spec)
{
    return faas_asprintf("%s/run/%s.%s", l->state_dir, spec->namespace_, spec->service);
}

/* --- preparation --- */

static int copy_secrets(struct local *l, const struct local_record *r, const char *run_dir,
                        struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/secrets", run_dir);
    const struct local_secret_target to = {
        .root = run_dir,
        .dir = dir,
        .set_owner = l->set_user,
        .gid = r->uid,
    };

    faas_strv_for_each(&r->spec.secrets, name)
    {
        if (!local_secret_exists(l->state_dir, r->spec.namespace_, *name))
            return faas_fail(err, FAAS_ERR_INVALID,
                             "secret \"%s\" does not exist in namespace \"%s\"", *name,
                             r->spec.namespace_);
    }
    return local_secret_copy(l->state_dir, r->spec.namespace_, &r->spec.secrets, &to, err);
}

int local_function_prepare(struct local *l, const struct local_record *r, struct local_launch **out,
                           struct faas_error *err)
{
    _cleanup_free_ char *run_dir = run_path(l, &r->spec);
    _cleanup_free_ char *secret_dir = faas_asprintf("%s/secrets", run_dir);
    _cleanup_free_ char *bundle_dir = local_image_blob_path(l->state_dir, r->digest);
    const struct local_launch_input in = {
        .record = r,
        .options = l->options,
        .set_user = l->set_user,
        .bundle_dir = bundle_dir,
        .secret_dir = secret_dir,
        .gateway_url = l->gateway_url,
    };

    if (!faas_file_exists(bundle_dir))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "image \"%s\" (%s) is not in this gateway's bundle store", r->spec.image,
                         r->digest);
    if (mkdir(run_dir, 0711) < 0 && errno != EEXIST) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", run_dir);
        return local_disk_failed(err);
    }
    if (copy_secrets(l, r, run_dir, err) < 0)
        return -1;
    *out = local_launch_new(&in, err);
    return *out ? 0 : -1;
}

int local_function_refresh_secrets(struct local_function *f, struct faas_error *err)
{
    return copy_secrets(f->local, &f->record, f->run_dir, err);
}

static void prune_secrets(struct local_function *f)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/secrets", f->run_dir);
    const struct local_secret_target to = {.root = f->run_dir, .dir = dir};

    local_secret_prune(&to, &f->record.spec.secrets);
    f->stale_secrets = false;
}

/* A removed function that still drains counts too. */
static bool has_run_dir(const struct local *l, const char *run_dir)
{
    faas_list_for_each (&l->functions, it) {
        if (strcmp(local_function_of(it)->run_dir, run_dir) == 0)
            return true;
    }
    return false;
}

void local_function_abandon(struct local *l, const struct local_record *r)
{
    _cleanup_free_ char *run_dir = run_path(l, &r->spec);
    struct local_function *f = local_function_find(l, r->spec.service, r->spec.namespace_);

    if (f)
        f->unsettled = f->stale_secrets = true;
    else if (!has_run_dir(l, run_dir) && local_trash_move(l->state_dir, run_dir))
        local_sweep(l);
}

/* --- what replicas report --- */

static void set_reason(struct local_function *f, const char *reason)
{
    free(f->reason);
    f->reason = reason ? faas_asprintf("%.*s", REASON_MAX, reason) : NULL;
}

static void changed(struct local_function *f)
{
    f->unsettled = true;
    local_changed(f->local);
}

static void on_ready(void *arg, struct local_replica *r)
{
    struct local_function *f = arg;

    r->launch->was_ready = true;
    if (r->launch == f->newest) {
        if (f->serving != f->newest) {
            local_launch_unref(f->serving);
            f->serving = local_launch_ref(f->newest);
        }
        set_reason(f, NULL);
    }
    changed(f);
}

static void on_down(void *arg, struct local_replica *r, const char *why)
{
    struct local_function *f = arg;
    _cleanup_free_ char *reason = faas_asprintf("replica %s: %s", r->instance, why);

    if (r->launch == f->newest)
        set_reason(f, reason);
    changed(f);
}

static void on_gone(void *arg, struct local_replica *r)
{
    struct local_function *f = arg;

    faas_list_remove(&r->node);
    f->unsettled = true;
}

/* --- life --- */

static void set_launch(struct local_function *f, struct local_launch *launch)
{
    local_launch_unref(f->newest);
    f->newest = launch;
    if (launch)
        launch->generation = ++f->generation;
}

struct local_function *local_function_add(struct local *l, const struct local_record *r,
                                          struct local_launch *launch, const char *why)
{
    struct local_function *f = faas_new(struct local_function);

    f->local = l;
    local_record_copy(&f->record, r);
    f->log_file = local_logs_get(&l->logs, r->spec.service, r->spec.namespace_);
    f->run_dir = run_path(l, &r->spec);
    f->events = (struct local_replica_events){
        .on_ready = on_ready,
        .on_down = on_down,
        .on_gone = on_gone,
        .arg = f,
    };
    faas_list_init(&f->replicas);
    set_launch(f, launch);
    set_reason(f, why);
    faas_list_append(&l->functions, &f->node);
    changed(f);
    return f;
}

void local_function_update(struct local_function *f, const struct local_record *r,
                           struct local_launch *launch)
{
    local_record_copy(&f->record, r);
    set_launch(f, launch);
    set_reason(f, NULL);
    f->stale_secrets = true;
    changed(f);
}

void local_function_scale(struct local_function *f, uint64_t desired)
{
    f->record.desired = desired;
    changed(f);
}

void local_function_remove(struct local_function *f)
{
    f->removed = true;
    changed(f);
}

void local_function_retry(struct local_function *f)
{
    struct local_launch *launch = NULL;
    struct faas_error err = {0};

    if (f->newest || f->removed)
        return;
    if (local_function_prepare(f->local, &f->record, &launch, &err) < 0) {
        set_reason(f, err.msg);
        return;
    }
    set_launch(f, launch);
    set_reason(f, NULL);
    changed(f);
}

bool local_function_reap(struct local_function *f)
{
    struct local *l = f->local;

    if (!f->removed || !faas_list_empty(&f->replicas))
        return false;
    faas_list_remove(&f->node);
    /* Unless it was deployed again meanwhile: the folder is the new one's now. */
    if (!has_run_dir(l, f->run_dir) && local_trash_move(l->state_dir, f->run_dir))
        local_sweep(l);
    local_launch_unref(f->newest);
    local_launch_unref(f->serving);
    local_record_deinit(&f->record);
    free(f->run_dir);
    free(f->reason);
    free(f);
    return true;
}

struct local_function *local_function_find(const struct local *l, const char *name, const char *ns)
{
    faas_list_for_each (&l->functions, it) {
        struct local_function *f = local_function_of(it);

        if (!f->removed && strcmp(f->record.spec.service, name) == 0 &&
            strcmp(f->record.spec.namespace_, ns) == 0)
            return f;
    }
    return NULL;
}

/* --- from what is wanted to what runs --- */

struct tally {
    uint64_t alive; /* running or about to be */
    uint64_t ready;
};

static bool is_old(const struct local_function *f, const struct local_replica *r)
{
    return r->launch != f->newest;
}

static struct tally count(const struct local_function *f, bool old)
{
    struct tally t = {0};

    faas_list_for_each (&f->replicas, it) {
        const struct local_replica *r = FAAS_CONTAINER_OF(it, struct local_replica, node);

        if (is_old(f, r) != old || r->state == LOCAL_STOPPING)
            continue;
        t.alive++;
        t.ready += r->state == LOCAL_READY;
    }
    return t;
}

/* Lower goes first: those that do not serve, then the oldest generation, then the least busy. */
static bool goes_before(const struct local_replica *a, const struct local_replica *b)
{
    const bool a_ready = a->state == LOCAL_READY, b_ready = b->state == LOCAL_READY;

    if (a_ready != b_ready)
        return b_ready;
    if (a->launch->generation != b->launch->generation)
        return a->launch->generation < b->launch->generation;
    return a_ready && atomic_load(&a->endpoint->in_flight) < atomic_load(&b->endpoint->in_flight);
}

static void stop_one(struct local_function *f, bool old)
{
    struct local_replica *victim = NULL;

    faas_list_for_each (&f->replicas, it) {
        struct local_replica *r = FAAS_CONTAINER_OF(it, struct local_replica, node);

        if (is_old(f, r) == old && r->state != LOCAL_STOPPING &&
            (!victim || !goes_before(victim, r)))
            victim = r; /* of equals the youngest */
    }
    if (victim) {
        local_changed(f->local);
        local_replica_stop(victim);
    }
}

static void start_one(struct local_function *f, struct local_launch *launch)
{
    const struct local_replica_input in = {
        .local = f->local,
        .launch = launch,
        .log_file = f->log_file,
        .events = &f->events,
        .name = f->record.spec.service,
        .run_dir = f->run_dir,
    };

    faas_list_append(&f->replicas, &local_replica_new(&in)->node);
}

/* Generations that never worked are no help to anybody. */
static void stop_useless(struct local_function *f)
{
    faas_list_for_each (&f->replicas, it) {
        struct local_replica *r = FAAS_CONTAINER_OF(it, struct local_replica, node);

        if (is_old(f, r) && !r->launch->was_ready && r->state != LOCAL_STOPPING)
            local_replica_stop(r);
    }
}

static void bring_to(struct local_function *f, bool old, uint64_t alive, uint64_t target,
                     struct local_launch *launch)
{
    for (; alive > target; alive--)
        stop_one(f, old);
    for (; alive < target && launch; alive++)
        start_one(f, launch);
}

/* Also one that still finishes its calls and may read its secrets for them. */
static bool has_old(const struct local_function *f)
{
    faas_list_for_each (&f->replicas, it) {
        if (is_old(f, FAAS_CONTAINER_OF(it, struct local_replica, node)))
            return true;
    }
    return false;
}

void local_function_settle(struct local_function *f)
{
    uint64_t want = f->removed ? 0 : f->record.desired;
    uint64_t target, old_target;
    struct tally fresh, old;

    if (!f->unsettled)
        return;
    f->unsettled = false;
    want = FAAS_MIN(want, (uint64_t)f->local->options->max_replicas);
    stop_useless(f);
    old = count(f, true);
    fresh = count(f, false);
    target = old.alive > 0 && f->newest && !f->newest->was_ready ? FAAS_MIN(want, 1u) : want;
    old_target = want > fresh.ready ? want - fresh.ready : 0;
    bring_to(f, false, fresh.alive, target, f->newest);
    bring_to(f, true, old.alive, old_target, f->serving != f->newest ? f->serving : NULL);
    if (f->stale_secrets && !has_old(f))
        prune_secrets(f);
}

void local_function_terminate(struct local_function *f)
{
    faas_list_for_each (&f->replicas, it) {
        struct local_replica *r = FAAS_CONTAINER_OF(it, struct local_replica, node);

        if (r->term_due)
            local_replica_terminate(r,
                                    f->local->closing ? r->launch->close_ms : r->launch->stop_ms);
    }
}

/* --- what callers see --- */

static uint64_t count_ready(const struct local_function *f)
{
    return count(f, true).ready + count(f, false).ready;
}

/* Why it is not as wanted, for people; NULL when it is. Caller frees. */
static char *explain(const struct local_function *f)
{
    const uint64_t ready = count_ready(f);

    if (f->record.desired == 0)
        return faas_strdup("it is scaled to zero");
    if (f->reason && ready > 0 && f->newest && !f->newest->was_ready)
        return faas_asprintf("the new version does not become ready, the one before it stays in "
                             "service: %s",
                             f->reason);
    if (ready >= f->record.desired)
        return NULL;
    return faas_strdup(f->reason ? f->reason : "its replicas are starting");
}

void local_function_fill_status(const struct local_function *f, struct faas_function_status *out)
{
    faas_function_spec_copy(&out->spec, &f->record.spec);
    out->replicas = f->record.desired;
    out->available_replicas = FAAS_MIN(count_ready(f), f->record.desired);
    out->created_ns = f->record.created_ns;
    out->cpu_milli = -1;
    out->memory_bytes = -1;
    out->digest = faas_strdup(f->record.digest);
    out->reason = explain(f);
}

void local_function_fill_snapshot(const struct local_function *f, struct faas_snapshot *s)
{
    const struct faas_function_spec *spec = &f->record.spec;
    struct faas_fn *fn = faas_snapshot_add(s, spec->service, spec->namespace_);

    faas_fn_describe(fn, spec, f->newest ? &f->newest->env : &spec->env);
    fn->desired = f->record.desired;
    faas_list_for_each (&f->replicas, it) {
        const struct local_replica *r = FAAS_CONTAINER_OF(it, struct local_replica, node);

        if (r->state == LOCAL_READY)
            faas_fn_add_endpoint(fn, r->endpoint);
    }
    if (fn->n_endpoints == 0)
        fn->reason = explain(f);
}
