/* Intrusive doubly linked list. The head is a node that points at itself. */
#ifndef FAAS_LIST_H
#define FAAS_LIST_H

#include "libfaas/macros.h"

#include <stdbool.h>

struct faas_list {
    struct faas_list *prev, *next;
};

static inline void faas_list_init(struct faas_list *l)
{
    l->prev = l->next = l;
}

static inline bool faas_list_empty(const struct faas_list *l)
{
    return l->next == l;
}

static inline void faas_list_append(struct faas_list *head, struct faas_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Safe on a node that was initialised and is in no list. */
static inline void faas_list_remove(struct faas_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    faas_list_init(node);
}

#define faas_list_for_each(head, it)                                           \
    for (struct faas_list *it = (head)->next, *_next = it->next; it != (head); \
         it = _next, _next = it->next)

#endif
