/* Operations on functions: each checks, makes its change durable, and has the
 * supervisor act on it, in that order. */
#include "libfaas/alloc.h"
#include "providers/describe.h"
#include "providers/local/function.h"
#include "providers/local/images.h"
#include "providers/local/secrets.h"
#include "providers/local/store.h"

#include <inttypes.h>

static int not_found(const char *name, const char *ns, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "no function is named \"%s\" in namespace \"%s\"",
                     name, ns);
}

/* --- questions to the supervisor --- */

struct lookup {
    const char *name, *ns;
    struct local_record record;
    bool found;
};

static void lookup_call(struct local *l, void *arg)
{
    struct lookup *q = arg;
    const struct local_function *f = local_function_find(l, q->name, q->ns);

    q->found = f != NULL;
    if (f)
        local_record_copy(&q->record, &f->record);
}

/* Copies the record of a function; false when there is none. */
static bool look_up(struct local *l, const char *name, const char *ns, struct local_record *out)
{
    struct lookup q = {.name = name, .ns = ns};

    local_call(l, lookup_call, &q);
    *out = q.record;
    return q.found;
}

static bool uid_used(const struct local *l, uid_t uid)
{
    faas_list_for_each (&l->functions, it) {
        if (local_function_of(it)->record.uid == uid)
            return true;
    }
    return false;
}

static uid_t free_uid(const struct local *l)
{
    for (uint64_t uid = l->first_uid; uid <= l->last_uid; uid++) {
        if (!uid_used(l, (uid_t)uid))
            return (uid_t)uid;
    }
    return 0;
}

static void free_uid_call(struct local *l, void *arg)
{
    *(uid_t *)arg = free_uid(l);
}

static int take_uid(struct local *l, uid_t *uid, struct faas_error *err)
{
    if (!l->set_user)
        return 0;
    local_call(l, free_uid_call, uid);
    if (*uid == 0)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE,
                         "every user of option function_uids (%s) is taken",
                         l->options->function_uids);
    return 0;
}

/* --- deploy and update --- */

static int resolve_image(const struct local *l, const char *image, char **digest,
                         struct faas_error *err)
{
    struct faas_image found = {0};
    struct faas_error why = {0};

    if (local_image_get(l->state_dir, image, &found, &why) < 0) {
        if (why.code == FAAS_ERR_NOT_FOUND)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "image \"%s\" is not in this gateway's bundle store: run faas-cli "
                             "push",
                             image);
        return faas_fail(err, why.code, "image \"%s\": %s", image, why.msg);
    }
    *digest = faas_steal_ptr(&found.digest);
    faas_image_deinit(&found);
    return 0;
}

static int check_replicas(const struct local *l, uint64_t replicas, struct faas_error *err)
{
    if (replicas > (uint64_t)l->options->max_replicas)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "%" PRIu64 " replicas are more than option max_replicas (%" PRId64 ")",
                         replicas, l->options->max_replicas);
    return 0;
}

/* What a spec becomes, given the function it replaces (old) or NULL. */
static int make_record(struct local *l, const struct faas_function_spec *spec,
                       const struct local_record *old, struct local_record *r,
                       struct faas_error *err)
{
    const struct faas_clock *clock = l->env.clock;
    struct faas_scaling scaling = {0};

    if (faas_scaling_from_labels(&spec->labels, &scaling, err) < 0 ||
        check_replicas(l, scaling.min, err) < 0 ||
        resolve_image(l, spec->image, &r->digest, err) < 0)
        return -1;
    faas_function_spec_copy(&r->spec, spec);
    r->desired = faas_initial_replicas(&scaling, old ? old->desired : 0);
    r->created_ns = old ? old->created_ns : clock->realtime_ns(clock->self);
    if (old) {
        r->uid = old->uid;
        return 0;
    }
    return take_uid(l, &r->uid, err);
}

struct change {
    const struct local_record *record;
    struct local_launch *launch;
    struct faas_error *err;
    int rc;
};

static void prepare_call(struct local *l, void *arg)
{
    struct change *c = arg;

    c->rc = local_function_prepare(l, c->record, &c->launch, c->err);
}

static void commit_call(struct local *l, void *arg)
{
    struct change *c = arg;
    const struct faas_function_spec *spec = &c->record->spec;
    struct local_function *f = local_function_find(l, spec->service, spec->namespace_);

    if (f)
        local_function_update(f, c->record, c->launch);
    else
        local_function_add(l, c->record, c->launch, NULL);
}

static void abandon_call(struct local *l, void *arg)
{
    struct change *c = arg;

    local_launch_unref(c->launch);
    local_function_abandon(l, c->record);
}

static int apply(struct local *l, const struct local_record *r, struct faas_error *err)
{
    struct change c = {.record = r, .err = err};

    local_call(l, prepare_call, &c);
    if (c.rc < 0 || local_store_save(l->state_dir, r, err) < 0) {
        local_call(l, abandon_call, &c);
        return -1;
    }
    local_call(l, commit_call, &c);
    return 0;
}

int local_deploy(void *self, const struct faas_function_spec *spec, struct faas_error *err)
{
    struct local *l = self;
    _cleanup_(local_record_deinit) struct local_record old = {0}, r = {0};

    LOCAL_ADMIN(l);
    if (look_up(l, spec->service, spec->namespace_, &old))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    if (make_record(l, spec, NULL, &r, err) < 0)
        return -1;
    return apply(l, &r, err);
}

int local_update(void *self, const struct faas_function_spec *spec, struct faas_error *err)
{
    struct local *l = self;
    _cleanup_(local_record_deinit) struct local_record old = {0}, r = {0};

    LOCAL_ADMIN(l);
    if (!look_up(l, spec->service, spec->namespace_, &old))
        return not_found(spec->service, spec->namespace_, err);
    if (make_record(l, spec, &old, &r, err) < 0)
        return -1;
    return apply(l, &r, err);
}

/* --- remove --- */

struct named {
    const char *name, *ns;
};

static void remove_call(struct local *l, void *arg)
{
    const struct named *n = arg;

    local_function_remove(local_function_find(l, n->name, n->ns));
}

int local_remove(void *self, const char *name, const char *ns, struct faas_error *err)
{
    struct local *l = self;
    _cleanup_(local_record_deinit) struct local_record r = {0};
    struct named n = {.name = name, .ns = ns};

    LOCAL_ADMIN(l);
    if (!look_up(l, name, ns, &r))
        return not_found(name, ns, err);
    if (local_store_remove(l->state_dir, name, ns, err) < 0)
        return -1;
    local_call(l, remove_call, &n);
    local_tidy(l);
    return 0;
}

/* --- scale --- */

struct scaling {
    const char *name, *ns;
    uint64_t to;
    uint64_t from; /* filled */
    bool found;    /* filled */
};

static void scale_call(struct local *l, void *arg)
{
    struct scaling *s = arg;
    struct local_function *f = local_function_find(l, s->name, s->ns);

    s->found = f != NULL;
    if (!f)
        return;
    s->from = f->record.desired;
    if (s->from != s->to)
        local_function_scale(f, s->to);
}

/* Writes what is wanted by now, so that of two scalings at once the later one is remembered. */
static int save_current(struct local *l, const char *name, const char *ns, struct faas_error *err)
{
    _cleanup_(local_record_deinit) struct local_record r = {0};

    if (!look_up(l, name, ns, &r))
        return 0; /* removed meanwhile */
    return local_store_save(l->state_dir, &r, err);
}

/* Replicas are started before the number is written: calls that wait for a function at zero need
 * not wait for the disk. For the same reason a start from zero stands although the disk is full:
 * after a crash the next call would do it again. Any other change that cannot be remembered is
 * taken back. */
int local_scale(void *self, const char *name, const char *ns, uint64_t replicas,
                struct faas_error *err)
{
    struct local *l = self;
    struct scaling s = {.name = name, .ns = ns, .to = replicas};
    struct faas_error why = {0};

    if (check_replicas(l, replicas, err) < 0)
        return -1;
    local_call(l, scale_call, &s);
    if (!s.found)
        return not_found(name, ns, err);
    if (s.from == s.to)
        return 0;

    LOCAL_ADMIN(l);
    if (save_current(l, name, ns, &why) == 0)
        return 0;
    if (s.from == 0) {
        faas_log_warn(&l->log, "a function's number of replicas is not remembered",
                      FAAS_F_STR("function", name), FAAS_F_STR("namespace", ns), FAAS_F_ERR(&why));
        return 0;
    }
    s.to = s.from;
    local_call(l, scale_call, &s);
    return faas_fail(err, why.code, "%s", why.msg);
}

/* --- list and get --- */

struct query {
    const char *name, *ns;
    struct faas_status_list *list;
    struct faas_function_status *status;
    bool found;
};

static void list_call(struct local *l, void *arg)
{
    struct query *q = arg;

    faas_list_for_each (&l->functions, it) {
        const struct local_function *f = local_function_of(it);

        if (!f->removed && strcmp(f->record.spec.namespace_, q->ns) == 0)
            local_function_fill_status(f, faas_status_list_add(q->list));
    }
}

int local_list(void *self, const char *ns, struct faas_status_list *out, struct faas_error *err)
{
    struct query q = {.ns = ns, .list = out};

    (void)err;
    local_call(self, list_call, &q);
    return 0;
}

static void get_call(struct local *l, void *arg)
{
    struct query *q = arg;
    const struct local_function *f = local_function_find(l, q->name, q->ns);

    q->found = f != NULL;
    if (f)
        local_function_fill_status(f, q->status);
}

int local_get(void *self, const char *name, const char *ns, struct faas_function_status *out,
              struct faas_error *err)
{
    struct query q = {.name = name, .ns = ns, .status = out};

    local_call(self, get_call, &q);
    return q.found ? 0 : not_found(name, ns, err);
}

/* --- boot --- */

struct restoring {
    struct local *local;
    struct local_record *records;
    size_t n;
};

static void keep_record(void *arg, struct local_record *r)
{
    struct restoring *b = arg;

    b->records = faas_reallocarray(b->records, b->n + 1, sizeof(*b->records));
    b->records[b->n++] = *r;
    *r = (struct local_record){0};
}

/* Recorded when this program was not root: it must not run as root now. */
static void give_user(struct local *l, struct local_record *r)
{
    struct faas_error err = {0};

    if (!l->set_user || r->uid != 0)
        return;
    r->uid = free_uid(l);
    if (local_store_save(l->state_dir, r, &err) < 0)
        faas_log_warn(&l->log, "a function's new user is not remembered",
                      FAAS_F_STR("function", r->spec.service), FAAS_F_ERR(&err));
}

static void restore_one(struct local *l, struct local_record *r)
{
    struct local_launch *launch = NULL;
    struct faas_error err = {0};

    give_user(l, r);
    if (l->set_user && r->uid == 0)
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "every user of option function_uids is taken");
    else if (local_function_prepare(l, r, &launch, &err) < 0)
        launch = NULL;
    if (!launch)
        faas_log_error(&l->log, "a function cannot run", FAAS_F_STR("function", r->spec.service),
                       FAAS_F_STR("namespace", r->spec.namespace_), FAAS_F_ERR(&err));
    local_function_add(l, r, launch, launch ? NULL : err.msg);
}

/* Those that have a user come first, so that nobody else is given it. */
static void restore_call(struct local *l, void *arg)
{
    struct restoring *b = arg;

    for (size_t i = 0; i < b->n; i++) {
        if (b->records[i].uid != 0)
            restore_one(l, &b->records[i]);
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!local_function_find(l, b->records[i].spec.service, b->records[i].spec.namespace_))
            restore_one(l, &b->records[i]);
    }
    local_changed(l); /* the first snapshot, even when there is nothing to tell */
}

int local_restore(struct local *l, struct faas_error *err)
{
    struct restoring b = {.local = l};
    int rc = local_store_load(l->state_dir, &l->log, keep_record, &b, err);

    if (rc == 0)
        local_call(l, restore_call, &b);
    for (size_t i = 0; i < b.n; i++)
        local_record_deinit(&b.records[i]);
    free(b.records);
    return rc;
}

static void retry_call(struct local *l, void *arg)
{
    (void)arg;
    faas_list_for_each (&l->functions, it) {
        local_function_retry(local_function_of(it));
    }
}

void local_retry(struct local *l)
{
    local_call(l, retry_call, NULL);
}
