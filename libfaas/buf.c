#include "libfaas/buf.h"

#include "libfaas/alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define BUF_MIN 64

void faas_buf_deinit(struct faas_buf *b)
{
    free(b->data);
    *b = (struct faas_buf){0};
}

void faas_buf_clear(struct faas_buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

/* cap counts the byte of the NUL; doubling keeps appending linear in all. */
char *faas_buf_grow(struct faas_buf *b, size_t n)
{
    size_t need, cap = b->cap ? b->cap : BUF_MIN;

    if (__builtin_add_overflow(b->len, n, &need) || __builtin_add_overflow(need, 1, &need))
        need = SIZE_MAX; /* which faas_realloc answers by saying so */
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    b->data = faas_realloc(b->data, cap);
    b->cap = cap;
    return b->data + b->len;
}

void faas_buf_append_u64(struct faas_buf *b, uint64_t n)
{
    char digits[21];

    faas_buf_append(b, digits, faas_format_u64(n, digits));
}

void faas_buf_vprintf(struct faas_buf *b, const char *fmt, va_list ap)
{
    char *room = faas_buf_reserve(b, BUF_MIN - 1);
    size_t size = b->cap - b->len;
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(room, size, fmt, ap);
    if (n >= 0 && (size_t)n >= size)
        vsnprintf(faas_buf_reserve(b, (size_t)n), (size_t)n + 1, fmt, again);
    va_end(again);
    if (n > 0)
        b->len += (size_t)n;
    b->data[b->len] = '\0';
}

void faas_buf_printf(struct faas_buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    faas_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void faas_buf_consume(struct faas_buf *b, size_t n)
{
    if (n >= b->len) {
        faas_buf_clear(b);
        return;
    }
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len);
    b->data[b->len] = '\0';
}

char *faas_buf_steal(struct faas_buf *b)
{
    char *data = b->data ? b->data : faas_strndup("", 0);

    data[b->len] = '\0';
    *b = (struct faas_buf){0};
    return data;
}
