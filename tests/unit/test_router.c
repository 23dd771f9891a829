#include "libfaas/router.h"
#include "tests/unit/unit.h"

static const struct faas_route routes[] = {
    {.method = "*", .pattern = "/function/{name}*"},
    {.method = "GET", .pattern = "/system/functions"},
    {.method = "POST", .pattern = "/system/functions"},
    {.method = "GET", .pattern = "/system/function/{name}"},
    {.method = "GET", .pattern = "/ui/*"},
    {.method = "GET", .pattern = "/docs*"},
    {.method = "DELETE", .pattern = "/a/{x}/b/{y}"},
    {.method = "GET", .pattern = "/"},
    {.method = "GET", .pattern = "/a/{x}/b/fixed"},
};

static int match(const char *method, const char *path, struct faas_route_match *m, char allowed[64],
                 struct faas_error *err)
{
    return faas_router_match(routes, FAAS_ARRAY_LEN(routes), faas_str_from(method),
                             faas_str_from(path), m, allowed, err);
}

static void paths_find_their_row(void **state)
{
    static const struct {
        const char *method, *path;
        int row; /* -1: no such path */
        const char *p0, *p1, *rest;
    } cases[] = {
        {"POST", "/function/f", 0, "f", "", ""},
        {"PROPFIND", "/function/f.ns/", 0, "f.ns", "", "/"},
        {"GET", "/function/f/a%2Fb//c", 0, "f", "", "/a%2Fb//c"},
        {"GET", "/function/", -1, "", "", ""},
        {"GET", "/function", -1, "", "", ""},
        {"GET", "/function//x", -1, "", "", ""},
        {"GET", "/system/functions", 1, "", "", ""},
        {"POST", "/system/functions", 2, "", "", ""},
        {"GET", "/system/functions/", -1, "", "", ""},
        {"GET", "/system/function", -1, "", "", ""},
        {"GET", "/system/function/x", 3, "x", "", ""},
        {"GET", "/system/function/x/y", -1, "", "", ""},
        {"GET", "/system/functionsx", -1, "", "", ""},
        {"GET", "/ui/", 4, "", "", "/"},
        {"GET", "/ui/a/b", 4, "", "", "/a/b"},
        {"GET", "/ui", -1, "", "", ""},
        {"GET", "/docs", 5, "", "", ""},
        {"GET", "/docs/x", 5, "", "", "/x"},
        {"GET", "/docsx", -1, "", "", ""},
        {"DELETE", "/a/1/b/2", 6, "1", "2", ""},
        {"GET", "/a/1/b/fixed", 8, "1", "", ""},
        {"GET", "/", 7, "", "", ""},
        {"GET", "//", -1, "", "", ""},
        {"GET", "", -1, "", "", ""},
        {"GET", "*", -1, "", "", ""},
        {"GET", "/%73ystem/functions", -1, "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_route_match m;
        struct faas_error err = {0};
        char allowed[64];
        int rc = match(cases[i].method, cases[i].path, &m, allowed, &err);

        print_message("  %s %s\n", cases[i].method, cases[i].path);
        assert_int_equal(rc, cases[i].row < 0 ? -1 : 0);
        if (rc < 0) {
            assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
            assert_null(m.route);
            continue;
        }
        assert_ptr_equal(m.route, &routes[cases[i].row]);
        assert_true(faas_str_eqz(m.params[0], cases[i].p0));
        assert_true(faas_str_eqz(m.params[1], cases[i].p1));
        assert_true(faas_str_eqz(m.rest, cases[i].rest));
    }
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct faas_route_match m;
    struct faas_error err = {0};
    char allowed[64];

    (void)state;
    assert_int_equal(match("PUT", "/system/functions", &m, allowed, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_string_equal(allowed, "GET, POST");
    assert_int_equal(match("HEAD", "/", &m, allowed, &err), -1);
    assert_string_equal(allowed, "GET");
    assert_int_equal(match("POST", "/a/1/b/fixed", &m, allowed, &err), -1);
    assert_string_equal(allowed, "DELETE, GET");
    assert_int_equal(match("get", "/nowhere", &m, allowed, &err), -1);
    assert_string_equal(allowed, "");
}

static void a_method_is_listed_once_and_the_list_has_an_end(void **state)
{
    static const struct faas_route many[] = {
        {.method = "GET", .pattern = "/x"},
        {.method = "GETTER", .pattern = "/x"},
        {.method = "GET", .pattern = "/{y}"},
        {.method = "AVERYLONGMETHODNAME-AAAAAAAAAAAAAAAAAAAAA", .pattern = "/x"},
        {.method = "BVERYLONGMETHODNAME-BBBBBBBBBBBBBBBBBBBBB", .pattern = "/x"},
        {.method = "PUT", .pattern = "/x"},
    };
    struct faas_route_match m;
    char allowed[64];

    (void)state;
    assert_int_equal(faas_router_match(many, FAAS_ARRAY_LEN(many), FAAS_STR("POST"), FAAS_STR("/x"),
                                       &m, allowed, NULL),
                     -1);
    assert_string_equal(allowed, "GET, GETTER, AVERYLONGMETHODNAME-AAAAAAAAAAAAAAAAAAAAA, PUT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_row),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(a_method_is_listed_once_and_the_list_has_an_end),
    };
    return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
