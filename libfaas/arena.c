#include "libfaas/arena.h"

#include "libfaas/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define REDZONE        16 /* between two allocations, so that running from one into the next is seen */
#else
#define POISON(p, n)   ((void)(p))
#define UNPOISON(p, n) ((void)(p))
#define REDZONE        0
#endif

#define ALIGN     16
#define BLOCK_MIN (4096 - 2 * ALIGN - 32) /* with our header and malloc's it is about a page */
#define BLOCK_MAX (64 * 1024)             /* blocks double up to here */
#define REUSE_MAX (2 * BLOCK_MAX)         /* a larger block is not kept for the next request */

struct faas_arena_block {
    struct faas_arena_block *next;
    size_t cap;
    size_t used;
    char data[] __attribute__((aligned(ALIGN)));
};

struct faas_arena_defer {
    struct faas_arena_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

static void run_defers(struct faas_arena *a)
{
    struct faas_arena_defer *d;

    while ((d = a->defers)) {
        a->defers = d->next;
        d->fn(d->arg);
    }
}

static void free_block(struct faas_arena_block *b)
{
    UNPOISON(b->data, b->cap);
    free(b);
}

void faas_arena_deinit(struct faas_arena *a)
{
    run_defers(a);
    while (a->blocks) {
        struct faas_arena_block *b = a->blocks;

        a->blocks = b->next;
        free_block(b);
    }
}

/* The largest block that is worth keeping stays, so an arena that serves similar requests comes to
 * need no allocation at all. */
static void drop_all_but_one(struct faas_arena *a)
{
    struct faas_arena_block *kept = NULL, *b, *next;

    for (b = a->blocks; b; b = next) {
        next = b->next;
        if (b->cap > REUSE_MAX || (kept && b->cap <= kept->cap)) {
            free_block(b);
            continue;
        }
        if (kept)
            free_block(kept);
        kept = b;
    }
    if (kept)
        kept->next = NULL;
    a->blocks = kept;
}

void faas_arena_reset(struct faas_arena *a)
{
    run_defers(a);
    if (!a->blocks)
        return;
    if (a->blocks->next || a->blocks->cap > REUSE_MAX)
        drop_all_but_one(a);
    if (a->blocks) {
        POISON(a->blocks->data, a->blocks->used);
        a->blocks->used = 0;
    }
}

static struct faas_arena_block *new_block(size_t cap)
{
    struct faas_arena_block *b = faas_alloc(sizeof(*b) + cap);

    b->next = NULL;
    b->cap = cap;
    b->used = 0;
    POISON(b->data, cap);
    return b;
}

static struct faas_arena_block *add_block(struct faas_arena *a, size_t need)
{
    struct faas_arena_block *b;
    size_t cap = BLOCK_MIN;

    if (a->blocks && need > BLOCK_MAX / 2) {
        /* a giant gets a block of its own behind the current one, which still has room */
        b = new_block(need);
        b->next = a->blocks->next;
        a->blocks->next = b;
        return b;
    }
    if (a->blocks)
        cap = FAAS_MIN(a->blocks->cap * 2, (size_t)BLOCK_MAX);
    b = new_block(FAAS_MAX(cap, need));
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *faas_arena_alloc(struct faas_arena *a, size_t size)
{
    struct faas_arena_block *b = a->blocks;
    size_t need = (size + ALIGN - 1 + REDZONE) & ~(size_t)(ALIGN - 1);
    char *p;

    if (FAAS_UNLIKELY(need < size))
        need = SIZE_MAX / 2; /* which faas_alloc answers by saying so */
    if (FAAS_UNLIKELY(!b || need > b->cap - b->used))
        b = add_block(a, need);
    p = b->data + b->used;
    b->used += need;
    UNPOISON(p, size);
    return p;
}

void *faas_arena_zalloc(struct faas_arena *a, size_t size)
{
    return memset(faas_arena_alloc(a, size), 0, size);
}

char *faas_arena_strndup(struct faas_arena *a, const char *s, size_t n)
{
    char *p = faas_arena_alloc(a, n + 1);

    if (n > 0)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

struct faas_str faas_arena_str(struct faas_arena *a, struct faas_str s)
{
    return (struct faas_str){.ptr = faas_arena_strndup(a, s.ptr, s.len), .len = s.len};
}

char *faas_arena_printf(struct faas_arena *a, const char *fmt, ...)
{
    char small[256], *p;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0, small[0] = '\0';
    p = faas_arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof(small))
        return memcpy(p, small, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void faas_arena_defer(struct faas_arena *a, void (*fn)(void *arg), void *arg)
{
    struct faas_arena_defer *d = faas_arena_alloc(a, sizeof(*d));

    *d = (struct faas_arena_defer){.next = a->defers, .fn = fn, .arg = arg};
    a->defers = d;
}
