/* The setting async_queues: which queues a worker serves, which of them first, and how many calls
 * of each it makes at a time. "urgent:20,reports:2,*": urgent before reports before every other.
 * Pure. */
#ifndef FAAS_GATEWAY_ASYNC_QUEUE_RULES_H
#define FAAS_GATEWAY_ASYNC_QUEUE_RULES_H

#include "libfaas/str.h"

struct gw_queue_rule {
    char *queue;  /* "*": every queue that no other rule names */
    unsigned max; /* calls at a time; 0: as many as the worker makes */
};

struct gw_queue_rules {
    struct gw_queue_rule *items; /* first: served first */
    size_t n;
};

#define GW_MAX_QUEUE_NAME 128
/* a-z 0-9 - _ */
bool gw_is_queue_name(struct faas_str s);

/* rules is empty before and, on failure, after. INVALID names the entry. */
FAAS_NODISCARD int gw_queue_rules_parse(struct gw_queue_rules *rules, const char *text,
                                        struct faas_error *err);
void gw_queue_rules_deinit(struct gw_queue_rules *rules);
/* The queue's rule, or -1: it is not served. */
int gw_queue_rules_find(const struct gw_queue_rules *rules, struct faas_str queue);

#endif
