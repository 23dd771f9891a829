#include "libfaas/api_spec.h"

#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#include <math.h>

/* Go's zero time. It stands for "unknown", and is out of reach of nanoseconds in 64 bits. */
#define NO_TIME "0001-01-01T00:00:00Z"

void faas_function_status_deinit(struct faas_function_status *s)
{
    faas_function_spec_deinit(&s->spec);
    free(s->digest);
    free(s->reason);
    *s = (struct faas_function_status){0};
}

static void write_count(json_t *into, const char *key, uint64_t n)
{
    if (n > 0)
        json_object_set_new(into, key, json_integer((json_int_t)FAAS_MIN(n, (uint64_t)INT64_MAX)));
}

/* json_real() answers NULL for what JSON cannot say. */
static json_t *number_node(double d)
{
    return json_real(isfinite(d) && d > 0 ? d : 0);
}

static void write_created(json_t *into, int64_t created_ns)
{
    char text[40] = NO_TIME;

    if (created_ns != 0)
        faas_format_time_go(created_ns, text);
    json_object_set_new(into, "createdAt", json_string(text));
}

static void write_usage(json_t *into, const struct faas_function_status *s)
{
    json_t *usage;

    if (!(s->cpu_milli > 0) && !(s->memory_bytes > 0))
        return;
    usage = json_object();
    json_object_set_new(usage, "cpu", number_node(s->cpu_milli));
    json_object_set_new(usage, "totalMemoryBytes", number_node(s->memory_bytes));
    json_object_set_new(into, "usage", usage);
}

json_t *faas_function_status_to_json(const struct faas_function_status *s)
{
    json_t *obj = json_object();

    faas_api_spec_write(&s->spec, obj, "name");
    if (s->invocation_count > 0)
        json_object_set_new(obj, "invocationCount", number_node(s->invocation_count));
    write_count(obj, "replicas", s->replicas);
    write_count(obj, "availableReplicas", s->available_replicas);
    write_created(obj, s->created_ns);
    write_usage(obj, s);
    if (s->digest)
        json_object_set_new(obj, "digest", faas_json_string(faas_str_from(s->digest)));
    if (s->reason)
        json_object_set_new(obj, "reason", faas_json_string(faas_str_from(s->reason)));
    return obj;
}

static int read_created(struct faas_function_status *s, const json_t *j, struct faas_error *err)
{
    _cleanup_free_ char *text = NULL;

    if (faas_api_read_string(j, "createdAt", &text, err) < 0)
        return -1;
    if (!text || strncmp(text, "0001-", 5) == 0)
        return 0;
    if (faas_parse_time(text, &s->created_ns) < 0)
        return faas_fail(err, FAAS_ERR_INVALID, "createdAt: \"%.64s\" is not an RFC 3339 time",
                         text);
    return 0;
}

static int read_usage(struct faas_function_status *s, const json_t *j, struct faas_error *err)
{
    const json_t *usage = faas_json_get(j, "usage");

    s->cpu_milli = usage ? 0 : -1;
    if (!usage)
        return 0;
    if (faas_json_expect_object(usage, "usage", err) < 0)
        return -1;
    if (faas_json_get_number(usage, "cpu", &s->cpu_milli, err) < 0 ||
        faas_json_get_number(usage, "totalMemoryBytes", &s->memory_bytes, err) < 0)
        return faas_error_wrap(err, "usage");
    return 0;
}

int faas_function_status_from_json(struct faas_function_status *s, const json_t *j,
                                   struct faas_error *err)
{
    if (faas_api_spec_read(&s->spec, j, "name", err) < 0 ||
        faas_json_get_number(j, "invocationCount", &s->invocation_count, err) < 0 ||
        faas_json_get_u64(j, "replicas", &s->replicas, err) < 0 ||
        faas_json_get_u64(j, "availableReplicas", &s->available_replicas, err) < 0 ||
        read_created(s, j, err) < 0 || read_usage(s, j, err) < 0 ||
        faas_api_read_string(j, "digest", &s->digest, err) < 0)
        return -1;
    return faas_api_read_string(j, "reason", &s->reason, err);
}

void faas_status_list_deinit(struct faas_status_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        faas_function_status_deinit(&l->items[i]);
    free(l->items);
    *l = (struct faas_status_list){0};
}

struct faas_function_status *faas_status_list_add(struct faas_status_list *l)
{
    /* Room for 1, 2, 4, 8 … items: full whenever the length is 0 or a power of two. */
    if ((l->len & (l->len - 1)) == 0)
        l->items = faas_reallocarray(l->items, l->len ? l->len * 2 : 1, sizeof(*l->items));
    l->items[l->len] = (struct faas_function_status){0};
    return &l->items[l->len++];
}
