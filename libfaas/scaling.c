#include "libfaas/api_types.h"

#include "libfaas/alloc.h"

#define LABEL_MIN     "com.openfaas.scale.min"
#define LABEL_MAX     "com.openfaas.scale.max"
#define LABEL_ZERO    "com.openfaas.scale.zero"
#define LABEL_ZERO_MS "com.openfaas.scale.zero-duration"

#define DEFAULT_MIN     1
#define DEFAULT_MAX     20
#define DEFAULT_ZERO_MS (15 * 60 * 1000)

static int read_replicas(const struct faas_map *labels, const char *label, uint64_t least,
                         uint64_t *out, struct faas_error *err)
{
    const char *text = faas_map_get(labels, label);

    if (!text)
        return 0;
    if (faas_parse_u64(faas_str_from(text), out, NULL) < 0 || *out < least ||
        *out > FAAS_MAX_REPLICAS)
        return faas_fail(err, FAAS_ERR_INVALID, "label %s: \"%.64s\" is not a number from %d to %d",
                         label, text, (int)least, FAAS_MAX_REPLICAS);
    return 0;
}

static int read_zero(const struct faas_map *labels, bool *out, struct faas_error *err)
{
    const char *text = faas_map_get(labels, LABEL_ZERO);

    if (!text)
        return 0;
    *out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!*out && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "label " LABEL_ZERO ": \"%.64s\" is neither true nor false", text);
    return 0;
}

static int read_zero_duration(const struct faas_map *labels, int64_t *out, struct faas_error *err)
{
    const char *text = faas_map_get(labels, LABEL_ZERO_MS);

    if (!text)
        return 0;
    if (faas_parse_duration(faas_str_from(text), out, err) < 0)
        return faas_error_wrap(err, "label " LABEL_ZERO_MS);
    if (*out == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "label " LABEL_ZERO_MS ": must be more than 0");
    return 0;
}

int faas_scaling_from_labels(const struct faas_map *labels, struct faas_scaling *out,
                             struct faas_error *err)
{
    *out =
        (struct faas_scaling){.min = DEFAULT_MIN, .max = DEFAULT_MAX, .zero_ms = DEFAULT_ZERO_MS};

    if (read_replicas(labels, LABEL_MIN, 0, &out->min, err) < 0 ||
        read_replicas(labels, LABEL_MAX, 1, &out->max, err) < 0 ||
        read_zero(labels, &out->zero, err) < 0 ||
        read_zero_duration(labels, &out->zero_ms, err) < 0)
        return -1;
    if (!faas_map_get(labels, LABEL_MAX))
        out->max = FAAS_MAX(out->max, out->min);
    if (out->min > out->max)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "label " LABEL_MIN ": %llu is more than " LABEL_MAX ", %llu",
                         (unsigned long long)out->min, (unsigned long long)out->max);
    return 0;
}
