#include "libfaas/yaml.h"

#include <stdio.h>
#include <yaml.h>

#define MAX_ANCHORS 1000

struct anchor {
    const char *name;
    struct faas_yaml *node;
    size_t weight; /* nodes below it, aliases written out, itself included */
};

struct loader {
    struct faas_arena *arena;
    struct faas_str text;
    const char *file;
    struct faas_error *err;
    yaml_parser_t parser;
    struct anchor anchors[MAX_ANCHORS];
    size_t n_anchors;
    size_t spent; /* nodes so far, aliases written out */
    int depth;
};

static int fail_at(const struct loader *l, size_t line, const char *fmt, ...) FAAS_PRINTF(3, 4);

static int fail_at(const struct loader *l, size_t line, const char *fmt, ...)
{
    char why[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return faas_fail(l->err, FAAS_ERR_INVALID, "%.200s:%zu: %s", l->file, line, why);
}

static int fail_parse(const struct loader *l)
{
    const yaml_parser_t *p = &l->parser;
    size_t line = p->problem_mark.line + 1;

    if (p->error == YAML_READER_ERROR) { /* knows an offset only */
        line = 1;
        for (size_t i = 0; i < p->problem_offset && i < l->text.len; i++)
            line += l->text.ptr[i] == '\n';
    }
    return fail_at(l, line, "%s%s%s", p->problem ? p->problem : "cannot be read",
                   p->context ? ", " : "", p->context ? p->context : "");
}

static int next(struct loader *l, yaml_event_t *ev)
{
    return yaml_parser_parse(&l->parser, ev) ? 0 : fail_parse(l);
}

static size_t line_of(const yaml_event_t *ev)
{
    return ev->start_mark.line + 1;
}

static int spend(struct loader *l, const yaml_event_t *ev, size_t nodes)
{
    l->spent += nodes;
    if (l->spent <= FAAS_YAML_MAX_NODES)
        return 0;
    return fail_at(l, line_of(ev), "more than %d values, aliases written out", FAAS_YAML_MAX_NODES);
}

static struct faas_yaml *new_node(struct loader *l, const yaml_event_t *ev,
                                  enum faas_yaml_kind kind)
{
    struct faas_yaml *v = faas_arena_zalloc(l->arena, sizeof(*v));

    v->kind = kind;
    v->line = (int)line_of(ev);
    v->column = (int)ev->start_mark.column + 1;
    return v;
}

static int remember(struct loader *l, const yaml_event_t *ev, const yaml_char_t *name,
                    struct faas_yaml *node, size_t weight)
{
    if (!name)
        return 0;
    if (l->n_anchors == MAX_ANCHORS)
        return fail_at(l, line_of(ev), "more than %d anchors", MAX_ANCHORS);
    l->anchors[l->n_anchors++] = (struct anchor){
        .name = faas_arena_strndup(l->arena, (const char *)name, strlen((const char *)name)),
        .node = node,
        .weight = weight,
    };
    return 0;
}

/* The latest of that name. An anchor is known once its node is complete, so nothing can hold
 * itself. */
static int load_alias(struct loader *l, const yaml_event_t *ev, struct faas_yaml **out)
{
    const char *name = (const char *)ev->data.alias.anchor;

    for (size_t i = l->n_anchors; i > 0; i--) {
        const struct anchor *a = &l->anchors[i - 1];

        if (strcmp(a->name, name) == 0) {
            *out = a->node;
            return spend(l, ev, a->weight);
        }
    }
    return fail_at(l, line_of(ev), "alias *%.64s: no such anchor stands complete before it", name);
}

static int load_scalar(struct loader *l, const yaml_event_t *ev, struct faas_yaml **out)
{
    const char *text = (const char *)ev->data.scalar.value;
    const char *tag = (const char *)ev->data.scalar.tag;
    struct faas_yaml *v = new_node(l, ev, FAAS_YAML_SCALAR);

    if (strlen(text) != ev->data.scalar.length)
        return fail_at(l, line_of(ev), "a NUL character in a value");
    v->text = faas_arena_strndup(l->arena, text, ev->data.scalar.length);
    v->quoted =
        ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (tag && strcmp(tag, YAML_STR_TAG) == 0);
    *out = v;
    return 0;
}

static int load_node(struct loader *l, const yaml_event_t *ev, struct faas_yaml **out);

/* Room for one more of size bytes in an arena array that doubles when it is full. */
static void *grow(struct faas_arena *a, void *items, size_t n, size_t size)
{
    void *more;

    if (n & (n - 1)) /* neither 0 nor a power of two: there is room */
        return items;
    more = faas_arena_alloc(a, (n ? 2 * n : 1) * size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

static int load_list(struct loader *l, const yaml_event_t *start, struct faas_yaml **out)
{
    struct faas_yaml *v = new_node(l, start, FAAS_YAML_LIST);

    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t ev = {0};
        struct faas_yaml *item;

        if (next(l, &ev) < 0)
            return -1;
        if (ev.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (load_node(l, &ev, &item) < 0)
            return -1;
        v->items = grow(l->arena, v->items, v->n_items, sizeof(struct faas_yaml *));
        v->items[v->n_items++] = item;
    }
    *out = v;
    return 0;
}

/* A map under construction. The table finds a key among many without comparing all. */
struct map_builder {
    struct faas_yaml *map;
    struct faas_yaml *merges; /* the value of "<<" */
    uint32_t *slots;          /* 1 + index into pairs; 0: free */
    size_t n_slots;           /* a power of two, more than half of them free */
};

static size_t hash(const char *key)
{
    size_t h = 14695981039346656037u;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h ^ h >> 32;
}

static uint32_t *slot_of(const struct map_builder *b, const char *key)
{
    for (size_t i = hash(key);; i++) {
        uint32_t *slot = &b->slots[i & (b->n_slots - 1)];

        if (!*slot || strcmp(b->map->pairs[*slot - 1].key, key) == 0)
            return slot;
    }
}

static void rehash(struct loader *l, struct map_builder *b)
{
    b->n_slots = b->n_slots ? 2 * b->n_slots : 8;
    b->slots = faas_arena_zalloc(l->arena, b->n_slots * sizeof(*b->slots));
    for (size_t i = 0; i < b->map->n_pairs; i++)
        *slot_of(b, b->map->pairs[i].key) = (uint32_t)i + 1;
}

/* Adds the pair, or answers the one that has this key already. */
static const struct faas_yaml_pair *add_pair(struct loader *l, struct map_builder *b,
                                             struct faas_yaml_pair pair)
{
    struct faas_yaml *map = b->map;
    uint32_t *slot;

    if (2 * (map->n_pairs + 1) > b->n_slots)
        rehash(l, b);
    slot = slot_of(b, pair.key);
    if (*slot)
        return &map->pairs[*slot - 1];
    map->pairs = grow(l->arena, map->pairs, map->n_pairs, sizeof(*map->pairs));
    map->pairs[map->n_pairs++] = pair;
    *slot = (uint32_t)map->n_pairs;
    return NULL;
}

static void merge_map(struct loader *l, struct map_builder *b, const struct faas_yaml *from)
{
    for (size_t i = 0; i < from->n_pairs; i++)
        add_pair(l, b, from->pairs[i]); /* a key that is there already wins */
}

static int merge(struct loader *l, struct map_builder *b)
{
    const struct faas_yaml *v = b->merges;
    const char *const complaint = "\"<<\" takes a map, or a list of maps";

    if (!v)
        return 0;
    if (v->kind == FAAS_YAML_SCALAR)
        return fail_at(l, (size_t)v->line, "%s", complaint);
    if (v->kind == FAAS_YAML_MAP)
        merge_map(l, b, v);
    for (size_t i = 0; i < v->n_items; i++) {
        if (v->items[i]->kind != FAAS_YAML_MAP)
            return fail_at(l, (size_t)v->items[i]->line, "%s", complaint);
        merge_map(l, b, v->items[i]);
    }
    return 0;
}

static int load_pair(struct loader *l, struct map_builder *b, const yaml_event_t *key_event)
{
    _cleanup_(yaml_event_delete) yaml_event_t ev = {0};
    const struct faas_yaml_pair *earlier;
    struct faas_yaml *key, *value;
    bool merging;

    if (load_node(l, key_event, &key) < 0)
        return -1;
    if (key->kind != FAAS_YAML_SCALAR)
        return fail_at(l, line_of(key_event), "a key must be a plain value");
    if (next(l, &ev) < 0 || load_node(l, &ev, &value) < 0)
        return -1;
    merging = !key->quoted && strcmp(key->text, "<<") == 0;
    if (merging && !b->merges) {
        b->merges = value;
        return 0;
    }
    earlier =
        merging ? &(struct faas_yaml_pair){.line = b->merges->line}
                : add_pair(l, b,
                           (struct faas_yaml_pair){
                               .key = key->text, .line = (int)line_of(key_event), .value = value});
    if (!earlier)
        return 0;
    return fail_at(l, line_of(key_event), "key \"%.64s\" is given twice, first at line %d",
                   key->text, earlier->line);
}

static int load_map(struct loader *l, const yaml_event_t *start, struct faas_yaml **out)
{
    struct map_builder b = {.map = new_node(l, start, FAAS_YAML_MAP)};

    for (;;) {
        _cleanup_(yaml_event_delete) yaml_event_t ev = {0};

        if (next(l, &ev) < 0)
            return -1;
        if (ev.type == YAML_MAPPING_END_EVENT)
            break;
        if (load_pair(l, &b, &ev) < 0)
            return -1;
    }
    *out = b.map;
    return merge(l, &b);
}

static int load_node(struct loader *l, const yaml_event_t *ev, struct faas_yaml **out)
{
    size_t before = l->spent;
    const yaml_char_t *anchor;
    int rc;

    if (ev->type == YAML_ALIAS_EVENT)
        return load_alias(l, ev, out);
    if (l->depth == FAAS_YAML_MAX_DEPTH)
        return fail_at(l, line_of(ev), "nested more than %d deep", FAAS_YAML_MAX_DEPTH);
    if (spend(l, ev, 1) < 0)
        return -1;
    l->depth++;
    if (ev->type == YAML_SCALAR_EVENT) {
        anchor = ev->data.scalar.anchor;
        rc = load_scalar(l, ev, out);
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        anchor = ev->data.sequence_start.anchor;
        rc = load_list(l, ev, out);
    } else {
        anchor = ev->data.mapping_start.anchor;
        rc = load_map(l, ev, out);
    }
    l->depth--;
    return rc < 0 ? -1 : remember(l, ev, anchor, *out, l->spent - before);
}

static bool is_nothing(const struct faas_yaml *v)
{
    return v->kind == FAAS_YAML_SCALAR && !v->quoted && !*v->text;
}

/* Events: STREAM-START, then DOCUMENT-START, one node, DOCUMENT-END, or STREAM-END at once. */
static int load_document(struct loader *l, struct faas_yaml **out)
{
    _cleanup_(yaml_event_delete) yaml_event_t stream = {0};
    _cleanup_(yaml_event_delete) yaml_event_t start = {0};
    _cleanup_(yaml_event_delete) yaml_event_t node = {0};
    _cleanup_(yaml_event_delete) yaml_event_t end = {0};
    _cleanup_(yaml_event_delete) yaml_event_t behind = {0};

    if (next(l, &stream) < 0 || next(l, &start) < 0)
        return -1;
    if (start.type == YAML_STREAM_END_EVENT) {
        *out = new_node(l, &start, FAAS_YAML_MAP);
        return 0;
    }
    if (next(l, &node) < 0 || load_node(l, &node, out) < 0 || next(l, &end) < 0)
        return -1;
    if (is_nothing(*out))
        *out = new_node(l, &node, FAAS_YAML_MAP);
    /* Garbage behind the document shows up only here. */
    return next(l, &behind);
}

struct faas_yaml *faas_yaml_parse(struct faas_arena *a, struct faas_str text, const char *file,
                                  struct faas_error *err)
{
    const struct faas_str bom = FAAS_STR("\xef\xbb\xbf");
    struct loader *l;
    struct faas_yaml *root = NULL;
    int rc;

    if (text.len > FAAS_YAML_MAX_BYTES) {
        faas_fail(err, FAAS_ERR_INVALID, "%.200s: more than %zu bytes", file, FAAS_YAML_MAX_BYTES);
        return NULL;
    }
    if (faas_str_starts(text, bom)) /* libyaml would take it for an indent */
        text = (struct faas_str){.ptr = text.ptr + bom.len, .len = text.len - bom.len};
    l = faas_arena_zalloc(a, sizeof(*l));
    l->arena = a;
    l->text = text;
    l->file = file;
    l->err = err;
    if (!yaml_parser_initialize(&l->parser)) {
        faas_fail(err, FAAS_ERR_INTERNAL, "%.200s: no memory for the parser", file);
        return NULL;
    }
    yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)(text.len ? text.ptr : ""),
                                 text.len);
    rc = load_document(l, &root);
    yaml_parser_delete(&l->parser);
    return rc < 0 ? NULL : root;
}

struct faas_yaml *faas_yaml_get(const struct faas_yaml *map, const char *key)
{
    for (size_t i = 0; i < map->n_pairs; i++) {
        if (strcmp(map->pairs[i].key, key) == 0)
            return map->pairs[i].value;
    }
    return NULL;
}

bool faas_yaml_is_null(const struct faas_yaml *v)
{
    return v->kind == FAAS_YAML_SCALAR && !v->quoted &&
           (!*v->text || strcmp(v->text, "~") == 0 || strcasecmp(v->text, "null") == 0);
}
