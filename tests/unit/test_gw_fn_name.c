#include "gateway/fn_name.h"
#include "tests/unit/unit.h"

static void names_are_split_at_the_last_dot(void **state)
{
    static const struct {
        const char *segment, *name, *ns; /* name NULL: refused */
    } cases[] = {
        {"figlet", "figlet", "openfaas-fn"},
        {"figlet.dev", "figlet", "dev"},
        {"a.b.c", "a.b", "c"},
        {"UPPER_and-1", "UPPER_and-1", "openfaas-fn"},
        {"", NULL, NULL},
        {".dev", NULL, NULL},
        {"figlet.", NULL, NULL},
        {"fig%20let", NULL, NULL},
        {"fig let", NULL, NULL},
        {"figlet\xff", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        struct gw_fn_name out;
        int rc =
            gw_fn_name_parse(faas_str_from(cases[i].segment), FAAS_STR("openfaas-fn"), &out, &err);

        print_message("  \"%s\"\n", cases[i].segment);
        assert_int_equal(rc, cases[i].name ? 0 : -1);
        if (rc < 0) {
            assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
            continue;
        }
        assert_true(faas_str_eqz(out.name, cases[i].name));
        assert_true(faas_str_eqz(out.ns, cases[i].ns));
    }
}

static void a_segment_of_128_characters_is_the_longest(void **state)
{
    char text[130];
    struct gw_fn_name out;
    struct faas_error err;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(gw_fn_name_parse((struct faas_str){text, 128}, FAAS_STR("ns"), &out, &err), 0);
    assert_int_equal(gw_fn_name_parse((struct faas_str){text, 129}, FAAS_STR("ns"), &out, &err),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_split_at_the_last_dot),
        cmocka_unit_test(a_segment_of_128_characters_is_the_longest),
    };
    return cmocka_run_group_tests_name("gw_fn_name", tests, NULL, NULL);
}
