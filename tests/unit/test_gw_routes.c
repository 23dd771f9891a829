#include "gateway/invoke.h"
#include "gateway/routes.h"
#include "tests/unit/unit.h"

static void everything_under_system_asks_for_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < gw_n_routes; i++) {
        const struct gw_action *action = gw_routes[i].handler;

        print_message("  %s %s\n", gw_routes[i].method, gw_routes[i].pattern);
        assert_non_null(action->handle);
        if (strncmp(gw_routes[i].pattern, "/system", 7) == 0 ||
            (strncmp(gw_routes[i].pattern, "/async-function", 15) == 0 &&
             strcmp(gw_routes[i].method, "POST") != 0)) /* what became of somebody's call */
            assert_int_equal(action->auth, GW_AUTH_BASIC);
        else
            assert_int_equal(action->auth, GW_AUTH_NONE);
    }
}

static void calls_of_functions_are_routed_whatever_their_path(void **state)
{
    static const struct {
        const char *path, *rest; /* rest NULL: not a call */
    } cases[] = {
        {"/function/f", ""},         {"/function/f/", "/"}, {"/function/f/a//b", "/a//b"},
        {"/function/", NULL},        {"/function", NULL},   {"/functions/f", NULL},
        {"/system/functions", NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_route_match m = {0};
        struct faas_error err;
        char allowed[64];
        bool call = faas_router_match(gw_routes, gw_n_routes, FAAS_STR("PATCH"),
                                      faas_str_from(cases[i].path), &m, allowed, &err) == 0;

        print_message("  %s\n", cases[i].path);
        assert_int_equal(call, cases[i].rest != NULL);
        if (call) {
            assert_ptr_equal(m.route->handler, &gw_invoke_action);
            assert_true(faas_str_eqz(m.rest, cases[i].rest));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_under_system_asks_for_credentials),
        cmocka_unit_test(calls_of_functions_are_routed_whatever_their_path),
    };
    return cmocka_run_group_tests_name("gw_routes", tests, NULL, NULL);
}
