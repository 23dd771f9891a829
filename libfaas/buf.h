/* Growable bytes that the struct owns. Zero-initialised is empty and valid.
 * data is NUL-terminated whenever it is not NULL (the NUL is not counted). */
#ifndef FAAS_BUF_H
#define FAAS_BUF_H

#include "libfaas/cleanup.h"
#include "libfaas/str.h"

#include <stdarg.h>

struct faas_buf {
    char *data;
    size_t len;
    size_t cap;
};

void faas_buf_deinit(struct faas_buf *b); /* frees and zeroes */
void faas_buf_clear(struct faas_buf *b);  /* keeps the memory */
/* Out of line: makes room for n more bytes and the NUL. */
char *faas_buf_grow(struct faas_buf *b, size_t n);

/* Makes room for n more bytes and returns where they go; the caller then adds to len. The NUL
 * comes back with the next append, so write one if the text is read before that. */
static inline char *faas_buf_reserve(struct faas_buf *b, size_t n)
{
    if (FAAS_LIKELY(n < b->cap - b->len)) /* cap 0 has no room, not even for the NUL */
        return b->data + b->len;
    return faas_buf_grow(b, n);
}

static inline void faas_buf_append(struct faas_buf *b, const void *p, size_t n)
{
    char *to = faas_buf_reserve(b, n);

    if (n > 0) /* p may be NULL otherwise */
        memcpy(to, p, n);
    to[n] = '\0';
    b->len += n;
}

static inline void faas_buf_append_str(struct faas_buf *b, struct faas_str s)
{
    faas_buf_append(b, s.ptr, s.len);
}

static inline void faas_buf_append_z(struct faas_buf *b, const char *z)
{
    faas_buf_append(b, z, strlen(z));
}

static inline void faas_buf_append_c(struct faas_buf *b, char c)
{
    char *to = faas_buf_reserve(b, 1);

    to[0] = c;
    to[1] = '\0';
    b->len++;
}

void faas_buf_append_u64(struct faas_buf *b, uint64_t n);
void faas_buf_printf(struct faas_buf *b, const char *fmt, ...) FAAS_PRINTF(2, 3);
void faas_buf_vprintf(struct faas_buf *b, const char *fmt, va_list ap) FAAS_PRINTF(2, 0);
void faas_buf_consume(struct faas_buf *b, size_t n); /* drops the first n bytes */
/* Hands the bytes over as a heap string (never NULL) and leaves b empty. Caller frees. */
char *faas_buf_steal(struct faas_buf *b) FAAS_NODISCARD;

static inline struct faas_str faas_buf_str(const struct faas_buf *b)
{
    return (struct faas_str){.ptr = b->data ? b->data : "", .len = b->len};
}

#define _cleanup_buf_ _cleanup_(faas_buf_deinit)

#endif
