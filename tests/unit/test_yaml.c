#include "libfaas/yaml.h"
#include "tests/unit/unit.h"

#include "libfaas/alloc.h"

#include <stdio.h>

/* A tree as one line: {key: value, …}, [item, …], quoted scalars in quotes. */
static void show(struct faas_buf *out, const struct faas_yaml *v)
{
    switch (v->kind) {
    case FAAS_YAML_SCALAR:
        faas_buf_printf(out, v->quoted ? "'%s'" : "%s", v->text);
        break;
    case FAAS_YAML_LIST:
        faas_buf_append_c(out, '[');
        for (size_t i = 0; i < v->n_items; i++) {
            faas_buf_append_z(out, i ? ", " : "");
            show(out, v->items[i]);
        }
        faas_buf_append_c(out, ']');
        break;
    case FAAS_YAML_MAP:
        faas_buf_append_c(out, '{');
        for (size_t i = 0; i < v->n_pairs; i++) {
            faas_buf_printf(out, "%s%s: ", i ? ", " : "", v->pairs[i].key);
            show(out, v->pairs[i].value);
        }
        faas_buf_append_c(out, '}');
    }
}

static void documents_become_trees_with_their_spelling(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", "{}"},
        {"# only a comment\n", "{}"},
        {"---\n", "{}"},
        {"\xef\xbb\xbf"
         "a: b\nc:\n  d: e",
         "{a: b, c: {d: e}}"},
        {"z: 1\na: 2\nm: 3", "{z: 1, a: 2, m: 3}"},
        {"a: 010\nb: 1.50\nc: yes\nd: 0x1F\ne: 'yes'\nf: \"1.0\"\ng:\nh: ~",
         "{a: 010, b: 1.50, c: yes, d: 0x1F, e: 'yes', f: '1.0', g: , h: ~}"},
        {"a: [1, [2, 3], {b: c}]\nd:\n  - e\n  -", "{a: [1, [2, 3], {b: c}], d: [e, ]}"},
        {"a: |\n  two\n  lines\nb: >-\n  one\n  line", "{a: 'two\nlines\n', b: 'one line'}"},
        {"a: !!str 5\nb: !!int '5'\nc: !own 5", "{a: '5', b: '5', c: 5}"},
        {"a: &x [1]\nb: *x\nc: &x 2\nd: *x", "{a: [1], b: [1], c: 2, d: 2}"},
        {"&k a: 1\nb: *k", "{a: 1, b: a}"},
        {"a: &k x\n*k : 1", "{a: x, x: 1}"},
        {"base: &b {x: 1, y: 2}\nf:\n  y: 3\n  <<: *b", "{base: {x: 1, y: 2}, f: {y: 3, x: 1}}"},
        {"f:\n  <<: [{x: 1}, {x: 2, y: 2}]\n  z: 3", "{f: {z: 3, x: 1, y: 2}}"},
        {"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}",
         "{a: {x: 1}, b: {y: 2, x: 1}, c: {y: 2, x: 1}}"},
        {"'<<': plain", "{<<: plain}"},
        {"a: 1\n---\nb: 2", "{a: 1}"},
        {"just text", "just text"},
        {"? a\n: b", "{a: b}"},
        {"url: http://x:8080/a#b # comment", "{url: http://x:8080/a#b}"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};
        struct faas_yaml *v = faas_yaml_parse(&a, faas_str_from(cases[i].in), "f", &err);

        if (!v)
            fail_msg("%s: %s", cases[i].in, err.msg);
        show(&out, v);
        assert_string_equal(out.data, cases[i].want);
    }
}

static void what_is_wrong_is_told_with_file_and_line(void **state)
{
    static const struct {
        const char *in, *part;
    } cases[] = {
        {"a: 1\nb: 2\na: 3", "stack.yml:3: key \"a\" is given twice, first at line 1"},
        {"a: 1\n\"a\": 3", "stack.yml:2: key \"a\" is given twice"},
        {"<<: {x: 1}\n<<: {y: 1}", "stack.yml:2: key \"<<\" is given twice"},
        {"a:\n  - b\n c: d", "stack.yml:3: did not find expected"},
        {"a: 'open", "stack.yml:1: found unexpected end of stream"},
        {"a: b: c", "stack.yml:1: mapping values are not allowed"},
        {"a: 1\nb: *none", "stack.yml:2: alias *none: no such anchor"},
        {"a: &a [*a]", "stack.yml:1: alias *a: no such anchor"},
        {"[a]: b", "stack.yml:1: a key must be a plain value"},
        {"<<: text", "stack.yml:1: \"<<\" takes a map"},
        {"<<: [{a: b},\n text]", "stack.yml:2: \"<<\" takes a map"},
        {"a: 1\nb: \"x\\0y\"", "stack.yml:2: a NUL character"},
        {"a: 1\nb: \x01", "stack.yml:2: control characters are not allowed"},
        {"a: 1\nb: \xff", "stack.yml:2: invalid leading UTF-8 octet"},
        {"a: 1\n}", "stack.yml:2: "},
        {"\tb: 1", "stack.yml:1: found character that cannot start any token"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
        struct faas_error err = {0};

        if (faas_yaml_parse(&a, faas_str_from(cases[i].in), "stack.yml", &err))
            fail_msg("%s was taken", cases[i].in);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        if (!strstr(err.msg, cases[i].part))
            fail_msg("%s: %s", cases[i].in, err.msg);
    }
}

static void assert_refused(struct faas_str text, const char *part)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    struct faas_error err = {0};

    assert_null(faas_yaml_parse(&a, text, "f", &err));
    if (!strstr(err.msg, part))
        fail_msg("%s", err.msg);
}

static void a_billion_laughs_are_cut_short(void **state)
{
    _cleanup_buf_ struct faas_buf text = {0};

    (void)state;
    faas_buf_append_z(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        faas_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 9; j++)
            faas_buf_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
        faas_buf_append_z(&text, "]\n");
    }
    assert_refused(faas_buf_str(&text), "more than 100000 values, aliases written out");
}

static void nesting_anchors_and_size_are_bounded(void **state)
{
    _cleanup_buf_ struct faas_buf text = {0};

    (void)state;
    for (int i = 0; i < 500; i++)
        faas_buf_append_c(&text, '[');
    assert_refused(faas_buf_str(&text), "nested more than 100 deep");

    faas_buf_clear(&text);
    for (int i = 0; i < 1001; i++)
        faas_buf_printf(&text, "- &a%d x\n", i);
    assert_refused(faas_buf_str(&text), "f:1001: more than 1000 anchors");

    faas_buf_clear(&text);
    memset(faas_buf_reserve(&text, FAAS_YAML_MAX_BYTES + 1), ' ', FAAS_YAML_MAX_BYTES + 1);
    text.len = FAAS_YAML_MAX_BYTES + 1;
    assert_refused(faas_buf_str(&text), "more than 8388608 bytes");
}

static void a_large_map_finds_its_duplicate(void **state)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_yaml *v;

    (void)state;
    for (int i = 0; i < 20000; i++)
        faas_buf_printf(&text, "key%d: %d\n", i, i);
    v = faas_yaml_parse(&a, faas_buf_str(&text), "f", NULL);
    assert_int_equal(v->n_pairs, 20000);
    assert_string_equal(faas_yaml_get(v, "key19999")->text, "19999");
    faas_buf_append_z(&text, "key7: again\n");
    assert_refused(faas_buf_str(&text), "f:20001: key \"key7\" is given twice, first at line 8");
}

static void nodes_know_where_they_stand(void **state)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    struct faas_yaml *v = faas_yaml_parse(&a, FAAS_STR("a:\n  b: [x,\n      y]\n"), "f", NULL);
    struct faas_yaml *list = faas_yaml_get(faas_yaml_get(v, "a"), "b");

    (void)state;
    assert_int_equal(v->pairs[0].line, 1);
    assert_int_equal(list->line, 2);
    assert_int_equal(list->items[1]->line, 3);
    assert_int_equal(list->items[1]->column, 7);
    assert_null(faas_yaml_get(v, "none"));
    assert_null(faas_yaml_get(list->items[0], "none"));
}

static void only_bare_words_are_null(void **state)
{
    _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
    struct faas_yaml *v =
        faas_yaml_parse(&a, FAAS_STR("[~, null, NULL, 'null', \"\", nil, 0, [], {}]"), "f", NULL);
    static const bool want[] = {true, true, true, false, false, false, false, false, false};

    (void)state;
    assert_non_null(v);
    assert_int_equal(v->n_items, FAAS_ARRAY_LEN(want));
    for (size_t i = 0; i < v->n_items; i++)
        assert_int_equal(faas_yaml_is_null(v->items[i]), want[i]);
}

static void a_written_scalar_is_quoted_when_it_must_be(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"python3", "python3"},
        {"python3 index.py", "python3 index.py"},
        {"./hello", "./hello"},
        {"ghcr.io/me/fn:latest", "ghcr.io/me/fn:latest"},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"", "\"\""},
        {"null", "\"null\""},
        {"~", "\"~\""},
        {"True", "\"True\""},
        {"no", "\"no\""},
        {"1.0", "\"1.0\""},
        {"0x1F", "\"0x1F\""},
        {"1e5", "\"1e5\""},
        {".5", "\".5\""},
        {".inf", "\".inf\""},
        {"12:30:45", "\"12:30:45\""},
        {"2026-01-02", "\"2026-01-02\""},
        {"a: b", "\"a: b\""},
        {"a:", "\"a:\""},
        {"a #b", "\"a #b\""},
        {"a ", "\"a \""},
        {" a", "\" a\""},
        {"- a", "\"- a\""},
        {"*a", "\"*a\""},
        {"{a}", "\"{a}\""},
        {"say \"hi\" \\ \n\t\x01\x7f", "\"say \\\"hi\\\" \\\\ \\n\\t\\u0001\\u007f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xc2\x85\xef\xbb\xbf\xef\xbf\xbf", "\"\\u0085\\ufeff\\uffff\""},
        {"\xff", "\"\xef\xbf\xbd\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_arena_deinit) struct faas_arena a = {0};
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_yaml *v;

        faas_buf_append_z(&out, "k: ");
        faas_yaml_scalar(&out, cases[i].in);
        assert_string_equal(out.data + 3, cases[i].want);
        v = faas_yaml_parse(&a, faas_buf_str(&out), "f", NULL);
        assert_non_null(v);
        assert_false(faas_yaml_is_null(faas_yaml_get(v, "k")));
        if (strcmp(cases[i].in, "\xff") != 0)
            assert_string_equal(faas_yaml_get(v, "k")->text, cases[i].in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_trees_with_their_spelling),
        cmocka_unit_test(what_is_wrong_is_told_with_file_and_line),
        cmocka_unit_test(a_billion_laughs_are_cut_short),
        cmocka_unit_test(nesting_anchors_and_size_are_bounded),
        cmocka_unit_test(a_large_map_finds_its_duplicate),
        cmocka_unit_test(nodes_know_where_they_stand),
        cmocka_unit_test(only_bare_words_are_null),
        cmocka_unit_test(a_written_scalar_is_quoted_when_it_must_be),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
