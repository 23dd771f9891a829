/* Any text: the tree is no larger than promised, lines lie within the text, no key is there twice,
 * and every scalar survives being written and read again. */
#include "libfaas/yaml.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
    size_t nodes;
    int lines;
};

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void a_scalar_survives(const char *text)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_yaml *v;

    faas_buf_append_z(&out, "- ");
    faas_yaml_scalar(&out, text);
    v = faas_yaml_parse(&a, faas_buf_str(&out), "f", NULL);
    check(v && v->kind == FAAS_YAML_LIST && v->n_items == 1, "a written scalar does not parse");
    check(!faas_yaml_is_null(v->items[0]) && strcmp(v->items[0]->text, text) == 0,
          "a written scalar changed");
}

static void walk(struct walk *w, const struct faas_yaml *v)
{
    check(++w->nodes <= FAAS_YAML_MAX_NODES, "the tree is larger than promised");
    check(v->line >= 1 && v->line <= w->lines, "a line outside the text");
    if (v->kind == FAAS_YAML_SCALAR && w->nodes < 100)
        a_scalar_survives(v->text);
    for (size_t i = 0; i < v->n_items; i++)
        walk(w, v->items[i]);
    for (size_t i = 0; i < v->n_pairs; i++) {
        if (i < 100)
            check(faas_yaml_get(v, v->pairs[i].key) == v->pairs[i].value, "a key is there twice");
        walk(w, v->pairs[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    struct faas_error err;
    struct faas_yaml *v = faas_yaml_parse(&a, text, "f", &err);
    struct walk w = {.lines = 2};

    if (!v)
        return 0;
    for (size_t i = 0; i < size; i++) /* every break that YAML knows, and more */
        w.lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
    walk(&w, v);
    return 0;
}
