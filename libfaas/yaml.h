/* A YAML document as a tree that knows its lines. libyaml stays inside. Scalars
 * keep their source spelling; aliases and "<<" merges are resolved; a duplicate key is an error. */
#ifndef FAAS_YAML_H
#define FAAS_YAML_H

#include "libfaas/arena.h"
#include "libfaas/buf.h"
#include "libfaas/map.h"

enum faas_yaml_kind { FAAS_YAML_SCALAR, FAAS_YAML_MAP, FAAS_YAML_LIST };

struct faas_yaml {
    enum faas_yaml_kind kind;
    int line; /* 1-based */
    int column;
    const char *text; /* SCALAR: NUL-terminated */
    bool quoted;      /* SCALAR: quoted, block or !!str, so it is a string whatever it looks like */
    struct faas_yaml_pair *pairs; /* MAP, in file order */
    size_t n_pairs;
    struct faas_yaml **items; /* LIST */
    size_t n_items;
};

struct faas_yaml_pair {
    const char *key;
    int line;
    struct faas_yaml *value; /* never NULL */
};

#define FAAS_YAML_MAX_BYTES ((size_t)8 << 20)
#define FAAS_YAML_MAX_NODES 100000 /* counted as if every alias were written out */
#define FAAS_YAML_MAX_DEPTH 100

/* The first document, allocated in the arena. file names it in errors ("stack.yml:12: …"), all of
 * which are INVALID. Keys are scalars; keys that "<<" brings in come after a map's own, which win.
 * Aliased nodes are shared, so treat the tree as read-only. An empty text gives an empty map. */
struct faas_yaml *faas_yaml_parse(struct faas_arena *a, struct faas_str text, const char *file,
                                  struct faas_error *err);
struct faas_yaml *faas_yaml_get(const struct faas_yaml *map, const char *key); /* or NULL */
bool faas_yaml_is_null(const struct faas_yaml *v); /* unquoted: empty, ~, null */

/* Appends s as a YAML scalar on one line, quoted when it would otherwise be read as something else.
 * Bytes that are not UTF-8 become U+FFFD. */
void faas_yaml_scalar(struct faas_buf *out, const char *s);

#endif
