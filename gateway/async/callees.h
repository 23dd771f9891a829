/* The hosts that are called back, so that one whose receivers hang does not take all there is from
 * the others. Hosts that share a place in the table share its fate. One thread. */
#ifndef FAAS_GATEWAY_ASYNC_CALLEES_H
#define FAAS_GATEWAY_ASYNC_CALLEES_H

#include "libfaas/list.h"
#include "libfaas/str.h"

enum { GW_CALLEES = 64 };

struct gw_callee {
    unsigned under_way;
    struct faas_list waiting; /* for their turn, in order */
};

struct gw_callees {
    unsigned limit; /* of each: half of all, or 1 */
    struct gw_callee items[GW_CALLEES];
};

void gw_callees_init(struct gw_callees *c, unsigned all);
/* Where this callback goes. */
struct gw_callee *gw_callees_find(struct gw_callees *c, struct faas_str url);
/* False: node waits, until _leave() returns it or it is removed. */
bool gw_callees_enter(const struct gw_callees *c, struct gw_callee *callee, struct faas_list *node);
/* Who goes next, and has entered; or NULL. */
struct faas_list *gw_callees_leave(const struct gw_callees *c, struct gw_callee *callee);

#endif
