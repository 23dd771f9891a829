#include "watchdog/header_set.h"

#include "libfaas/alloc.h"
#include "watchdog/header_name.h"

#include <stdlib.h>

static int header_cmp(const void *a, const void *b)
{
    const struct wd_header *x = a;
    const struct wd_header *y = b;
    int diff = memcmp(x->name.ptr, y->name.ptr, FAAS_MIN(x->name.len, y->name.len));

    if (diff == 0 && x->name.len != y->name.len)
        diff = x->name.len < y->name.len ? -1 : 1;
    if (diff == 0)
        diff = x->order < y->order ? -1 : 1;
    return diff;
}

void wd_header_set_init(struct wd_header_set *set, const struct faas_http_header *headers, size_t n)
{
    *set = (struct wd_header_set){.items = faas_reallocarray(NULL, n + 1, sizeof(*set->items))};
    for (size_t i = 0; i < n; i++) {
        char *name;

        if (wd_header_is_hidden(headers[i].name))
            continue;
        name = faas_strndup(headers[i].name.ptr, headers[i].name.len);
        wd_canonical_name(name, headers[i].name);
        set->items[set->n] = (struct wd_header){.name = {.ptr = name, .len = headers[i].name.len},
                                                .value = headers[i].value,
                                                .order = set->n};
        set->n++;
    }
    qsort(set->items, set->n, sizeof(*set->items), header_cmp);
}

void wd_header_set_deinit(struct wd_header_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free((char *)set->items[i].name.ptr);
    free(set->items);
}

bool wd_header_is_again(const struct wd_header_set *set, size_t i)
{
    return i > 0 && faas_str_eq(set->items[i].name, set->items[i - 1].name);
}
