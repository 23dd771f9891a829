#include "gateway/async/callees.h"

#include "gateway/async/host_policy.h"

#include <ctype.h>

void gw_callees_init(struct gw_callees *c, unsigned all)
{
    c->limit = FAAS_MAX(all / 2, 1U);
    for (size_t i = 0; i < GW_CALLEES; i++) {
        c->items[i].under_way = 0;
        faas_list_init(&c->items[i].waiting);
    }
}

struct gw_callee *gw_callees_find(struct gw_callees *c, struct faas_str url)
{
    struct faas_str host = {0};
    unsigned hash = 2166136261U; /* FNV-1a */

    gw_url_host(url, &host);
    for (size_t i = 0; i < host.len; i++)
        hash = (hash ^ (unsigned char)tolower((unsigned char)host.ptr[i])) * 16777619U;
    return &c->items[hash % GW_CALLEES];
}

bool gw_callees_enter(const struct gw_callees *c, struct gw_callee *callee, struct faas_list *node)
{
    if (callee->under_way >= c->limit) {
        faas_list_append(&callee->waiting, node);
        return false;
    }
    callee->under_way++;
    return true;
}

struct faas_list *gw_callees_leave(const struct gw_callees *c, struct gw_callee *callee)
{
    struct faas_list *next = callee->waiting.next;

    callee->under_way--;
    if (faas_list_empty(&callee->waiting) || callee->under_way >= c->limit)
        return NULL;
    faas_list_remove(next);
    callee->under_way++;
    return next;
}
