/* Small containers of owned strings, in insertion order: a string map (labels,
 * annotations, environment) and a string list. Zero-initialised is empty and
 * valid. Look-ups are linear: these hold tens of entries, not thousands. */
#ifndef FAAS_MAP_H
#define FAAS_MAP_H

#include "libfaas/cleanup.h"
#include "libfaas/str.h"

struct faas_map_entry {
    char *key;
    char *value;
};

struct faas_map {
    struct faas_map_entry *items;
    size_t len;
    size_t cap;
};

void faas_map_deinit(struct faas_map *m);
/* Sets or replaces; copies both. */
void faas_map_set(struct faas_map *m, const char *key, const char *value);
void faas_map_set_str(struct faas_map *m, struct faas_str key, struct faas_str value);
const char *faas_map_get(const struct faas_map *m, const char *key); /* borrowed, or NULL */
bool faas_map_remove(struct faas_map *m, const char *key);
void faas_map_merge(struct faas_map *into, const struct faas_map *from); /* from wins */
void faas_map_copy(struct faas_map *into, const struct faas_map *from);  /* into is replaced */
bool faas_map_eq(const struct faas_map *a, const struct faas_map *b);    /* order ignored */
void faas_map_sort(struct faas_map *m);                                  /* by key, byte order */

#define faas_map_for_each(m, e) \
    for (const struct faas_map_entry *e = (m)->items; e && e < (m)->items + (m)->len; e++)

struct faas_strv {
    char **items; /* NULL-terminated whenever it is not NULL, so it can serve as argv or envp */
    size_t len;
    size_t cap;
};

void faas_strv_deinit(struct faas_strv *v);
void faas_strv_add(struct faas_strv *v, const char *s); /* copies */
void faas_strv_add_str(struct faas_strv *v, struct faas_str s);
void faas_strv_take(struct faas_strv *v, char *s); /* (takes) a heap string */
void faas_strv_addf(struct faas_strv *v, const char *fmt, ...) FAAS_PRINTF(2, 3);
bool faas_strv_has(const struct faas_strv *v, const char *s);
void faas_strv_copy(struct faas_strv *into, const struct faas_strv *from);
bool faas_strv_eq(const struct faas_strv *a, const struct faas_strv *b); /* order counts */
void faas_strv_sort(struct faas_strv *v);

#define faas_strv_for_each(v, s) for (char **s = (v)->items; s && s < (v)->items + (v)->len; s++)

#define _cleanup_map_  _cleanup_(faas_map_deinit)
#define _cleanup_strv_ _cleanup_(faas_strv_deinit)

#endif
