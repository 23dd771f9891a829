/* Headers as Go's programs see and print them: under their canonical names and in their order,
 * without those that its server keeps for itself. */
#ifndef FAAS_WATCHDOG_HEADER_SET_H
#define FAAS_WATCHDOG_HEADER_SET_H

#include "libfaas/http.h"

struct wd_header {
    struct faas_str name;  /* canonical; heap */
    struct faas_str value; /* borrowed */
    size_t order;
};

struct wd_header_set {
    struct wd_header *items; /* values of one name stand together, in the order they came in */
    size_t n;
};

void wd_header_set_init(struct wd_header_set *set, const struct faas_http_header *headers,
                        size_t n);
void wd_header_set_deinit(struct wd_header_set *set);
/* Another value of the header before it. */
bool wd_header_is_again(const struct wd_header_set *set, size_t i);

#endif
