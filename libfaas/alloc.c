#include "libfaas/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void FAAS_NORETURN out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", size);
    abort();
}

void *faas_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (FAAS_UNLIKELY(!p))
        out_of_memory(size);
    return p;
}

void *faas_zalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (FAAS_UNLIKELY(!p))
        out_of_memory(size);
    return p;
}

void *faas_realloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);

    if (FAAS_UNLIKELY(!q))
        out_of_memory(size);
    return q;
}

void *faas_reallocarray(void *p, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        out_of_memory(SIZE_MAX);
    return faas_realloc(p, total);
}

char *faas_strdup(const char *s)
{
    return faas_strndup(s, strlen(s));
}

char *faas_strndup(const char *s, size_t n)
{
    char *p = faas_alloc(n + 1);

    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *faas_asprintf(const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&p, fmt, ap) < 0)
        out_of_memory(0);
    va_end(ap);
    return p;
}
