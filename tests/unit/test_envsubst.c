#include "cli/envsubst.h"
#include "tests/unit/unit.h"

#include <string.h>

static const char *get(void *self, const char *name)
{
    static const char *const vars[][2] = {
        {"V", "val"},   {"E", ""},   {"P", "/usr/local/bin/prog.tar.gz"},
        {"M", "MiXed"}, {"D", "$V"}, {"S", "aXbXaXb"},
    };

    (void)self;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(vars); i++)
        if (strcmp(name, vars[i][0]) == 0)
            return vars[i][1];
    return NULL;
}

static const struct cli_env env = {.get = get};

static void every_form_gives_what_the_table_says(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"plain", "plain"},
        {"${V}", "val"},
        {"a${V}b${U}c", "avalbc"},
        {"${E}", ""},
        {"${U:-d}${E:-d}${U:=d}${U=d}${U:?d}${U:+d}", "dddddd"},
        {"${V:+d}${V:?d}${V:-d}${V=d}", "valvalvalval"},
        {"${U:-}", ""},
        {"${U:-x${V}y}", "xvaly"},
        {"${U:-${U:-${V}}}", "val"},
        {"${U:-a:b/c}", "a:b/c"},
        {"$V $ $(cmd) $", "$V $ $(cmd) $"},
        {"$$ $${V} $$${V} $$$$", "$ ${V} $val $$"},
        {"\\\\ \\/ \\n \\", "\\ / \\n \\"},
        {"${#V} ${#E} ${#U}", "3 0 0"},
        {"${V^} ${V^^} ${M,} ${M,,} ${M^^}", "Val VAL miXed mixed MIXED"},
        {"${V:1} ${V:0:2} ${V:1:1}", "al va a"},
        {"${V:-1}", "val"}, /* a default, not a position: V is set */
        {"${V: -1} ${V:5} ${V:0:9} ${V: -9}", "l  val val"},
        {"${P#*/} ${P##*/}", "usr/local/bin/prog.tar.gz prog.tar.gz"},
        {"${P%.*} ${P%%.*}", "/usr/local/bin/prog.tar /usr/local/bin/prog"},
        {"${P#nothing}", "/usr/local/bin/prog.tar.gz"},
        {"${S/X/-} ${S//X/-} ${S/#a/-} ${S/%b/-} ${S/#b/-}",
         "a-bXaXb a-b-a-b -XbXaXb aXbXaX- aXbXaXb"},
        {"${S//X} ${S//X/} ${S///-}", "abab abab aXbXaXb"},
        {"${P//\\//_}", "_usr_local_bin_prog.tar.gz"},
        {"${S/${U:-X}/${V}}", "avalbXaXb"},
        {"${D}", "$V"}, /* a value is not read again */
        {"# comment ${V}", "# comment val"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        if (cli_envsubst(faas_str_from(cases[i].in), "f", &env, &out, &err) < 0)
            fail_msg("%s: %s", cases[i].in, err.msg);
        assert_string_equal(out.data ? out.data : "", cases[i].out);
    }
}

static void senseless_forms_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *in;
        const char *said;
    } cases[] = {
        {"${V", "stack.yml:1: ${…}: missing closing brace"},
        {"a\nb\n${U-d}", "stack.yml:3: ${…}: missing closing brace"},
        {"${}", "stack.yml:1: ${…}: the name of a variable is missing"},
        {"${ V}", "stack.yml:1: ${…}: the name of a variable is missing"},
        {"\n${V:x}", "stack.yml:2: ${…}: the position must be a number (a default is written :-)"},
        {"${V:1:x}", "stack.yml:1: ${…}: the length must be a number"},
        {"${U:-${V}", "stack.yml:1: ${…}: missing closing brace"},
        {"${V^^^}", "stack.yml:1: ${…}: missing closing brace"},
        {"${V/a/b/c", "stack.yml:1: ${…}: missing closing brace"},
        {"${#V:1}", "stack.yml:1: ${…}: missing closing brace"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        if (cli_envsubst(faas_str_from(cases[i].in), "stack.yml", &env, &out, &err) == 0)
            fail_msg("%s was accepted", cases[i].in);
        assert_string_equal(err.msg, cases[i].said);
    }
}

static void nesting_has_a_bound(void **state)
{
    _cleanup_buf_ struct faas_buf in = {0};
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_error err = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        faas_buf_append_z(&in, "${U:-");
    assert_int_equal(cli_envsubst(faas_buf_str(&in), "f", &env, &out, &err), -1);
    assert_non_null(strstr(err.msg, "nested too deeply"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_what_the_table_says),
        cmocka_unit_test(senseless_forms_are_refused_with_their_line),
        cmocka_unit_test(nesting_has_a_bound),
    };
    return cmocka_run_group_tests_name("envsubst", tests, NULL, NULL);
}
