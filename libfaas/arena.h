/* Memory with the lifetime of one request: allocated by bumping, never freed
 * one by one, dropped whole by reset. A deferred release runs at reset too, last
 * deferred first. Owned by one thread at a time. */
#ifndef FAAS_ARENA_H
#define FAAS_ARENA_H

#include "libfaas/str.h"

struct faas_arena {
    struct faas_arena_block *blocks;
    struct faas_arena_defer *defers;
};

void faas_arena_deinit(struct faas_arena *a);
void faas_arena_reset(struct faas_arena *a); /* keeps one block for reuse */
void *faas_arena_alloc(struct faas_arena *a,
                       size_t size) FAAS_NODISCARD; /* 16-aligned, not zeroed */
void *faas_arena_zalloc(struct faas_arena *a, size_t size) FAAS_NODISCARD;
char *faas_arena_strndup(struct faas_arena *a, const char *s, size_t n) FAAS_NODISCARD;
struct faas_str faas_arena_str(struct faas_arena *a, struct faas_str s) FAAS_NODISCARD;
char *faas_arena_printf(struct faas_arena *a, const char *fmt, ...)
    FAAS_PRINTF(2, 3) FAAS_NODISCARD;
void faas_arena_defer(struct faas_arena *a, void (*fn)(void *arg), void *arg);

#endif
