#include "libfaas/file.h"
#include "libfaas/http_date.h"
#include "tests/unit/unit.h"
#include "watchdog/mime.h"
#include "watchdog/static_cond.h"
#include "watchdog/static_path.h"
#include "watchdog/static_range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void paths_are_cleaned_and_never_lead_up(void **state)
{
    static const struct {
        const char *in, *want; /* NULL: refused */
    } cases[] = {
        {"/", "."},
        {"/a/b.txt", "a/b.txt"},
        {"/a//b/./c/", "a/b/c"},
        {"/../../etc/passwd", "etc/passwd"},
        {"/a/../..", "."},
        {"/%2e%2e/%2e%2e/x", "x"},
        {"/a%2Fb%20c", "a/b c"},
        {"/..a/b..", "..a/b.."},
        {"/%00", NULL},
        {"/%zz", NULL},
        {"/%4", NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
        const char *out = NULL;

        print_message("%s\n", cases[i].in);
        assert_int_equal(wd_static_clean(&arena, faas_str_from(cases[i].in), &out),
                         cases[i].want != NULL);
        if (cases[i].want)
            assert_string_equal(out, cases[i].want);
    }
}

static void make_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void nothing_outside_the_folder_is_opened(void **state)
{
    static const struct {
        const char *path;
        bool opens, opens_without_openat2;
    } cases[] = {
        {"file", true, true},      {"sub/file", true, true}, {"inside", true, false},
        {"outside", false, false}, {"above", false, false},  {"way/secret", false, false},
        {"absent", false, false},  {".", true, true},
    };
    char outer[] = "/tmp/minnow-static-XXXXXX";
    int top, root;

    (void)state;
    assert_non_null(mkdtemp(outer));
    top = open(outer, O_DIRECTORY | O_RDONLY);
    assert_int_equal(mkdirat(top, "root", 0700), 0);
    root = openat(top, "root", O_DIRECTORY | O_RDONLY);
    assert_int_equal(mkdirat(root, "sub", 0700), 0);
    make_file(top, "secret");
    make_file(root, "file");
    make_file(root, "sub/file");
    assert_int_equal(symlinkat("sub/file", root, "inside"), 0);
    assert_int_equal(symlinkat("/etc/passwd", root, "outside"), 0);
    assert_int_equal(symlinkat("../secret", root, "above"), 0);
    assert_int_equal(symlinkat("..", root, "way"), 0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        int fd = wd_open_beneath(root, cases[i].path);
        int walked = wd_open_beneath_walking(root, cases[i].path);

        print_message("%s\n", cases[i].path);
        assert_int_equal(fd >= 0, cases[i].opens);
        assert_int_equal(walked >= 0, cases[i].opens_without_openat2);
        if (fd >= 0)
            close(fd);
        if (walked >= 0)
            close(walked);
    }
    close(root);
    close(top);
    assert_int_equal(faas_remove_tree(outer, NULL), 0);
}

static void ranges_are_read_within_the_file(void **state)
{
    static const struct {
        const char *header;
        int64_t size;
        enum wd_range_kind kind;
        size_t n;
        int64_t from, len; /* of the last */
    } cases[] = {
        {NULL, 10, WD_RANGE_WHOLE, 0, 0, 0},
        {"bytes=0-4", 10, WD_RANGE_PARTS, 1, 0, 5},
        {"bytes=9-", 10, WD_RANGE_PARTS, 1, 9, 1},
        {"bytes=-3", 10, WD_RANGE_PARTS, 1, 7, 3},
        {"bytes=-30", 10, WD_RANGE_PARTS, 1, 0, 10},
        {"bytes=2-99", 10, WD_RANGE_PARTS, 1, 2, 8},
        {"BYTES = 0-0 , 9-9", 10, WD_RANGE_PARTS, 2, 9, 1},
        {"bytes=0-0,20-", 10, WD_RANGE_PARTS, 1, 0, 1},
        {"bytes=10-", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=-0", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=-", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=5-4", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=a-b", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=1", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=99999999999999999999-", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=0-18446744073709551615", 10, WD_RANGE_PARTS, 1, 0, 10},
        {"lines=1-2", 10, WD_RANGE_UNSATISFIABLE, 0, 0, 0},
        {"bytes=0-,0-", 10, WD_RANGE_WHOLE, 1, 0, 10},
        {"bytes=0-", 0, WD_RANGE_WHOLE, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_range ranges[WD_MAX_RANGES];
        size_t n;

        print_message("%s\n", cases[i].header ? cases[i].header : "none");
        assert_int_equal(wd_parse_ranges(faas_str_from(cases[i].header), cases[i].size, ranges, &n),
                         cases[i].kind);
        if (cases[i].kind != WD_RANGE_PARTS)
            continue;
        assert_int_equal(n, cases[i].n);
        assert_int_equal(ranges[n - 1].from, cases[i].from);
        assert_int_equal(ranges[n - 1].len, cases[i].len);
    }
}

static void more_ranges_than_are_worth_it_get_the_whole_file(void **state)
{
    _cleanup_buf_ struct faas_buf header = {0};
    struct wd_range ranges[WD_MAX_RANGES];
    size_t n;

    (void)state;
    faas_buf_append_z(&header, "bytes=0-0");
    for (int i = 1; i < WD_MAX_RANGES; i++)
        faas_buf_printf(&header, ",%d-%d", 2 * i, 2 * i);
    assert_int_equal(wd_parse_ranges(faas_buf_str(&header), 1000, ranges, &n), WD_RANGE_PARTS);
    assert_int_equal(n, WD_MAX_RANGES);
    faas_buf_append_z(&header, ",500-500");
    assert_int_equal(wd_parse_ranges(faas_buf_str(&header), 1000, ranges, &n), WD_RANGE_WHOLE);
}

static void conditions_are_weighed_in_order(void **state)
{
    static const struct wd_validators v = {"\"tag\"", 784111777};
#define SAME   FAAS_STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT")
#define BEFORE FAAS_STR_INIT("Sun, 06 Nov 1994 08:49:36 GMT")
#define H(name, value)             \
    {                              \
        FAAS_STR_INIT(name), value \
    }
    static const struct {
        struct faas_http_header headers[2];
        size_t n;
        int read, write; /* the status for GET, and for POST */
    } cases[] = {
        {{{{0}}}, 0, 200, 200},
        {{H("If-None-Match", FAAS_STR_INIT("\"tag\""))}, 1, 304, 412},
        {{H("If-None-Match", FAAS_STR_INIT("W/\"tag\""))}, 1, 304, 412},
        {{H("If-None-Match", FAAS_STR_INIT("\"a\", \"tag\""))}, 1, 304, 412},
        {{H("If-None-Match", FAAS_STR_INIT("*"))}, 1, 304, 412},
        {{H("If-None-Match", FAAS_STR_INIT("\"other\""))}, 1, 200, 200},
        {{H("If-Modified-Since", SAME)}, 1, 304, 200},
        {{H("If-Modified-Since", BEFORE)}, 1, 200, 200},
        {{H("If-Modified-Since", FAAS_STR_INIT("yesterday"))}, 1, 200, 200},
        {{H("If-None-Match", FAAS_STR_INIT("\"other\"")), H("If-Modified-Since", SAME)},
         2,
         200,
         200},
        {{H("If-Match", FAAS_STR_INIT("\"tag\""))}, 1, 200, 200},
        {{H("If-Match", FAAS_STR_INIT("W/\"tag\""))}, 1, 412, 412},
        {{H("If-Unmodified-Since", SAME)}, 1, 200, 200},
        {{H("If-Unmodified-Since", BEFORE)}, 1, 412, 412},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(wd_check_conditions(cases[i].headers, cases[i].n, true, &v),
                         cases[i].read);
        assert_int_equal(wd_check_conditions(cases[i].headers, cases[i].n, false, &v),
                         cases[i].write);
    }
}

static void a_range_needs_the_version_it_was_meant_for(void **state)
{
    static const struct wd_validators v = {"\"tag\"", 784111777};
    static const struct {
        const char *value;
        bool want;
    } cases[] = {
        {NULL, true},
        {"\"tag\"", true},
        {"W/\"tag\"", false},
        {"Sun, 06 Nov 1994 08:49:37 GMT", true},
        {"Sun, 06 Nov 1994 08:49:38 GMT", false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_http_header h = {FAAS_STR("If-Range"), faas_str_from(cases[i].value)};

        assert_int_equal(wd_range_applies(&h, cases[i].value ? 1 : 0, &v), cases[i].want);
    }
}

static void dates_are_read_in_every_form_that_http_had(void **state)
{
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    char out[FAAS_HTTP_DATE_SIZE];
    time_t t;

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(same); i++) {
        assert_true(faas_http_date_parse(faas_str_from(same[i]), &t));
        assert_int_equal(t, 784111777);
    }
    faas_http_date_format(784111777, out);
    assert_string_equal(out, same[0]);
    assert_false(faas_http_date_parse(FAAS_STR("06 Nov 1994"), &t));
    assert_false(faas_http_date_parse(FAAS_STR(""), &t));
}

static void types_follow_the_last_extension(void **state)
{
    (void)state;
    assert_string_equal(wd_mime_by_name("a/b.HTML"), "text/html; charset=utf-8");
    assert_string_equal(wd_mime_by_name("x.tar.gz"), "application/gzip");
    assert_null(wd_mime_by_name("README"));
    assert_null(wd_mime_by_name("a."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_cleaned_and_never_lead_up),
        cmocka_unit_test(nothing_outside_the_folder_is_opened),
        cmocka_unit_test(ranges_are_read_within_the_file),
        cmocka_unit_test(more_ranges_than_are_worth_it_get_the_whole_file),
        cmocka_unit_test(conditions_are_weighed_in_order),
        cmocka_unit_test(a_range_needs_the_version_it_was_meant_for),
        cmocka_unit_test(dates_are_read_in_every_form_that_http_had),
        cmocka_unit_test(types_follow_the_last_extension),
    };
    return cmocka_run_group_tests_name("wd_static", tests, NULL, NULL);
}
