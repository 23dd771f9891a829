#include "providers/local/launch.h"

#include "libfaas/alloc.h"
#include "providers/local/bundle.h"

#define FUNCTION_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* The watchdog itself runs under the limit too and needs this much to serve. */
#define LEAST_MEMORY (16 * 1024 * 1024)

#define DEFAULT_HEALTHCHECK   "1s"
#define DEFAULT_WRITE_TIMEOUT 30000

static void set_environment(struct local_launch *l, const struct local_launch_input *in,
                            const struct local_bundle *bundle)
{
    const struct faas_function_spec *spec = &in->record->spec;
    struct faas_map *env = &l->env;

    faas_map_set(env, "PATH", FUNCTION_PATH);
    faas_map_set(env, "LANG", "C.UTF-8");
    faas_map_set(env, "healthcheck_interval", DEFAULT_HEALTHCHECK);
    faas_map_set(env, "fprocess", bundle->fprocess);
    faas_map_merge(env, &bundle->env);
    faas_map_merge(env, &spec->env);
    if (spec->env_process && *spec->env_process)
        faas_map_set(env, "fprocess", spec->env_process);

    faas_map_set(env, "OPENFAAS_NAME", spec->service);
    faas_map_set(env, "OPENFAAS_NAMESPACE", spec->namespace_);
    faas_map_set(env, "OPENFAAS_URL", in->gateway_url ? in->gateway_url : "");
    faas_map_set(env, "secret_mount_path", in->secret_dir);
    /* What the watchdog needs to be a replica among others on this machine. */
    faas_map_set(env, "metrics_port", "0");
    faas_map_set(env, "LISTEN_FDS", "1");
    faas_map_remove(env, "LISTEN_PID");
    faas_map_remove(env, "LISTEN_FDNAMES");
    faas_map_remove(env, "TMPDIR"); /* each replica has one of its own */
}

/* Never above what this program was given itself: raising a limit takes privileges. */
static void add_rlimit(struct local_launch *l, int resource, uint64_t value)
{
    struct rlimit own = {.rlim_max = RLIM_INFINITY};
    rlim_t limit = (rlim_t)value;

    if (getrlimit((__rlimit_resource_t)resource, &own) == 0 && own.rlim_max < limit)
        limit = own.rlim_max;
    l->rlimits[l->n_rlimits++] = (struct faas_rlimit){
        .resource = resource,
        .limit = {.rlim_cur = limit, .rlim_max = limit},
    };
}

/* limits.memory becomes RLIMIT_DATA, per process: the memory a process may write to and has to
 * itself (heap and private mappings). RLIMIT_AS would count address space that is only reserved,
 * of which V8, the JVM and Go take gigabytes at start. limits.cpu has no rlimit (RLIMIT_CPU ends a
 * process after so much time, whatever its rate): it is accepted and shown, not enforced. */
static void set_limits(struct local_launch *l, const struct local_launch_input *in)
{
    const char *memory = in->record->spec.limits.memory;
    int64_t milli = 0;

    add_rlimit(l, RLIMIT_CORE, 0);
    add_rlimit(l, RLIMIT_NOFILE, (uint64_t)in->options->function_nofile);
    if (l->set_user)
        add_rlimit(l, RLIMIT_NPROC, (uint64_t)in->options->function_nproc);
    if (memory && *memory && faas_parse_quantity(faas_str_from(memory), &milli, NULL) == 0 &&
        milli > 0)
        add_rlimit(l, RLIMIT_DATA, FAAS_MAX((uint64_t)milli / 1000, (uint64_t)LEAST_MEMORY));
}

/* Zero means "no limit" to the watchdog; a stop has to end all the same. */
static int64_t duration_in(const struct faas_map *env, const char *name, int64_t otherwise)
{
    const char *text = faas_map_get(env, name);
    int64_t ms = 0;

    if (!text || faas_parse_duration(faas_str_from(text), &ms, NULL) < 0 || ms == 0)
        return otherwise;
    return ms;
}

struct local_launch *local_launch_new(const struct local_launch_input *in, struct faas_error *err)
{
    _cleanup_(local_bundle_deinit) struct local_bundle bundle = {0};
    struct local_launch *l;

    if (local_bundle_load(in->bundle_dir, &bundle, err) < 0) {
        faas_error_wrap(err, "image \"%s\"", in->record->spec.image);
        return NULL;
    }
    l = faas_new(struct local_launch);
    l->refs = 1;
    l->cwd = faas_strdup(in->bundle_dir);
    l->digest = faas_strdup(in->record->digest);
    l->set_user = in->set_user;
    l->uid = in->record->uid;
    set_environment(l, in, &bundle);
    set_limits(l, in);
    l->close_ms = duration_in(&l->env, "healthcheck_interval", 1000) + in->options->stop_grace_ms;
    l->stop_ms = l->close_ms + duration_in(&l->env, "write_timeout", DEFAULT_WRITE_TIMEOUT);
    return l;
}

struct local_launch *local_launch_ref(struct local_launch *l)
{
    l->refs++;
    return l;
}

void local_launch_unref(struct local_launch *l)
{
    if (!l || --l->refs > 0)
        return;
    faas_map_deinit(&l->env);
    free(l->cwd);
    free(l->digest);
    free(l);
}
