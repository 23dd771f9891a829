#include "gateway/async/queue_rules.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

enum { MAX_AT_A_TIME = 10000 };

bool gw_is_queue_name(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
              s.ptr[i] == '-' || s.ptr[i] == '_'))
            return false;
    return s.len > 0 && s.len <= GW_MAX_QUEUE_NAME;
}

void gw_queue_rules_deinit(struct gw_queue_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->items[i].queue);
    free(rules->items);
    *rules = (struct gw_queue_rules){0};
}

static const struct gw_queue_rule *named(const struct gw_queue_rules *rules, struct faas_str queue)
{
    for (size_t i = 0; i < rules->n; i++)
        if (faas_str_eqz(queue, rules->items[i].queue))
            return &rules->items[i];
    return NULL;
}

static int parse_rule(struct gw_queue_rules *rules, struct faas_str entry, struct faas_error *err)
{
    struct faas_str max = entry;
    struct faas_str queue = faas_str_split(&max, ':');
    uint64_t n = 0;

    if (!gw_is_queue_name(queue) && !faas_str_eqz(queue, "*"))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "\"%.*s\": a queue is named with a-z 0-9 - _, at most %d of them, or is *",
                         FAAS_STR_FMT(queue), GW_MAX_QUEUE_NAME);
    if (max.ptr && (faas_parse_u64(max, &n, NULL) < 0 || n < 1 || n > MAX_AT_A_TIME))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\": behind the colon stands 1 to %d",
                         FAAS_STR_FMT(entry), MAX_AT_A_TIME);
    if (named(rules, queue))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" stands there twice", FAAS_STR_FMT(queue));
    rules->items = faas_reallocarray(rules->items, rules->n + 1, sizeof(*rules->items));
    rules->items[rules->n++] =
        (struct gw_queue_rule){.queue = faas_str_dup(queue), .max = (unsigned)n};
    return 0;
}

int gw_queue_rules_parse(struct gw_queue_rules *rules, const char *text, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(text);

    do {
        struct faas_str entry = faas_str_trim(faas_str_split(&rest, ','));

        if (parse_rule(rules, entry, err) < 0) {
            gw_queue_rules_deinit(rules);
            return faas_error_wrap(err, "async_queues");
        }
    } while (rest.ptr);
    return 0;
}

int gw_queue_rules_find(const struct gw_queue_rules *rules, struct faas_str queue)
{
    const struct gw_queue_rule *rule = named(rules, queue);

    if (!rule)
        rule = named(rules, FAAS_STR("*"));
    return rule ? (int)(rule - rules->items) : -1;
}
