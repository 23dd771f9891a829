#include "libfaas/map.h"

#include "libfaas/alloc.h"
#include "libfaas/buf.h"

#include <stdarg.h>
#include <stdlib.h>

void faas_map_deinit(struct faas_map *m)
{
    for (size_t i = 0; i < m->len; i++) {
        free(m->items[i].key);
        free(m->items[i].value);
    }
    free(m->items);
    *m = (struct faas_map){0};
}

static struct faas_map_entry *find(const struct faas_map *m, struct faas_str key)
{
    for (size_t i = 0; i < m->len; i++) {
        if (faas_str_eqz(key, m->items[i].key))
            return &m->items[i];
    }
    return NULL;
}

void faas_map_set_str(struct faas_map *m, struct faas_str key, struct faas_str value)
{
    struct faas_map_entry *e = find(m, key);
    char *copy = faas_str_dup(value); /* first: value may point into the one it replaces */

    if (e) {
        free(e->value);
        e->value = copy;
        return;
    }
    if (m->len == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->items = faas_reallocarray(m->items, m->cap, sizeof(*m->items));
    }
    m->items[m->len++] = (struct faas_map_entry){.key = faas_str_dup(key), .value = copy};
}

void faas_map_set(struct faas_map *m, const char *key, const char *value)
{
    faas_map_set_str(m, faas_str_from(key), faas_str_from(value));
}

const char *faas_map_get(const struct faas_map *m, const char *key)
{
    const struct faas_map_entry *e = find(m, faas_str_from(key));

    return e ? e->value : NULL;
}

bool faas_map_remove(struct faas_map *m, const char *key)
{
    struct faas_map_entry *e = find(m, faas_str_from(key));

    if (!e)
        return false;
    free(e->key);
    free(e->value);
    m->len--;
    memmove(e, e + 1, (size_t)(m->items + m->len - e) * sizeof(*e));
    return true;
}

void faas_map_merge(struct faas_map *into, const struct faas_map *from)
{
    for (size_t i = 0; i < from->len; i++)
        faas_map_set(into, from->items[i].key, from->items[i].value);
}

void faas_map_copy(struct faas_map *into, const struct faas_map *from)
{
    if (into == from)
        return;
    faas_map_deinit(into);
    faas_map_merge(into, from);
}

bool faas_map_eq(const struct faas_map *a, const struct faas_map *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        const char *other = faas_map_get(b, a->items[i].key);

        if (!other || strcmp(other, a->items[i].value) != 0)
            return false;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct faas_map_entry *)a)->key, ((const struct faas_map_entry *)b)->key);
}

void faas_map_sort(struct faas_map *m)
{
    if (m->len > 1)
        qsort(m->items, m->len, sizeof(*m->items), by_key);
}

void faas_strv_deinit(struct faas_strv *v)
{
    for (size_t i = 0; i < v->len; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct faas_strv){0};
}

void faas_strv_take(struct faas_strv *v, char *s)
{
    if (v->len + 1 >= v->cap) {
        v->cap = v->cap ? v->cap * 2 : 8;
        v->items = faas_reallocarray(v->items, v->cap, sizeof(*v->items));
    }
    v->items[v->len++] = s;
    v->items[v->len] = NULL;
}

void faas_strv_add_str(struct faas_strv *v, struct faas_str s)
{
    faas_strv_take(v, faas_str_dup(s));
}

void faas_strv_add(struct faas_strv *v, const char *s)
{
    faas_strv_take(v, faas_strdup(s));
}

void faas_strv_addf(struct faas_strv *v, const char *fmt, ...)
{
    struct faas_buf b = {0};
    va_list ap;

    va_start(ap, fmt);
    faas_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    faas_strv_take(v, faas_buf_steal(&b));
}

bool faas_strv_has(const struct faas_strv *v, const char *s)
{
    for (size_t i = 0; i < v->len; i++) {
        if (strcmp(v->items[i], s) == 0)
            return true;
    }
    return false;
}

void faas_strv_copy(struct faas_strv *into, const struct faas_strv *from)
{
    if (into == from)
        return;
    faas_strv_deinit(into);
    for (size_t i = 0; i < from->len; i++)
        faas_strv_add(into, from->items[i]);
}

bool faas_strv_eq(const struct faas_strv *a, const struct faas_strv *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void faas_strv_sort(struct faas_strv *v)
{
    if (v->len > 1)
        qsort(v->items, v->len, sizeof(*v->items), by_text);
}
