#include "providers/describe.h"

void faas_fn_describe(struct faas_fn *fn, const struct faas_function_spec *spec,
                      const struct faas_map *env)
{
    const char *exec_timeout = faas_map_get(env, "exec_timeout");

    faas_map_copy(&fn->labels, &spec->labels);
    faas_map_copy(&fn->annotations, &spec->annotations);
    /* Both were checked when the function came in; should a rule have become stricter since, the
     * function still runs, with the defaults. */
    if (faas_scaling_from_labels(&spec->labels, &fn->scaling, NULL) < 0)
        fn->scaling = (struct faas_scaling){.min = 1, .max = 20};
    if (exec_timeout &&
        faas_parse_duration(faas_str_from(exec_timeout), &fn->exec_timeout_ms, NULL) < 0)
        fn->exec_timeout_ms = 0;
}

uint64_t faas_initial_replicas(const struct faas_scaling *scaling, uint64_t now)
{
    uint64_t least = FAAS_MAX(scaling->min, 1u);
    uint64_t most = FAAS_MAX(scaling->max, least);

    if (now < least)
        return least;
    return FAAS_MIN(now, most);
}
