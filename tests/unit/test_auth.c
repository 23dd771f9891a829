#include "libfaas/auth.h"
#include "tests/unit/tmpdir.h"

#include <stdio.h>
#include <sys/stat.h>

static void put(const char *dir, const char *name, const char *text, size_t n)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);

    assert_int_equal(faas_file_replace(path, (struct faas_str){.ptr = text, .len = n}, 0600, NULL),
                     0);
}

static void put_pair(const char *dir, const char *user, const char *password)
{
    put(dir, "basic-auth-user", user, strlen(user));
    put(dir, "basic-auth-password", password, strlen(password));
}

static void only_the_right_pair_passes(void **state)
{
    _cleanup_(faas_credentials_freep) struct faas_credentials *c = NULL;
    static const struct {
        const char *header;
        bool ok;
    } cases[] = {
        {"Basic YWRtaW46czpjcmV0", true}, /* admin:s:cret */
        {"basic YWRtaW46czpjcmV0", true},
        {"BASIC   YWRtaW46czpjcmV0 ", true},
        {"Basic YWRtaW46czpjcmVU", false}, /* admin:s:creT */
        {"Basic QWRtaW46czpjcmV0", false}, /* Admin:s:cret */
        {"Basic YWRtaW46cw==", false},     /* admin:s */
        {"Basic YWRtaW46", false},         /* admin: */
        {"Basic YWRtaW4=", false},         /* admin */
        {"Basic Og==", false},             /* : */
        {"Basic ", false},
        {"Basic", false},
        {"Basic !!!!", false},
        {"Bearer YWRtaW46czpjcmV0", false},
        {"BasicYWRtaW46czpjcmV0", false},
        {"YWRtaW46czpjcmV0", false},
        {"", false},
    };

    put_pair(*state, "\tadmin\n", " s:cret \r\n");
    c = faas_credentials_load(*state, NULL);
    assert_non_null(c);
    assert_string_equal(faas_credentials_user(c), "admin");
    assert_string_equal(faas_credentials_password(c), "s:cret");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        if (faas_basic_auth_check(c, faas_str_from(cases[i].header)) != cases[i].ok)
            fail_msg("\"%s\"", cases[i].header);
    }
    assert_false(faas_basic_auth_check(c, (struct faas_str){0}));
}

static void a_clients_header_passes_the_check(void **state)
{
    _cleanup_(faas_credentials_freep) struct faas_credentials *c = NULL;
    _cleanup_free_ char *header = faas_basic_auth_header("admin", "gr\xc3\xbc\xc3\x9f e");

    put_pair(*state, "admin", "gr\xc3\xbc\xc3\x9f e");
    c = faas_credentials_load(*state, NULL);
    assert_true(faas_basic_auth_check(c, faas_str_from(header)));
}

static void bad_secret_files_are_named(void **state)
{
    static const struct {
        const char *user, *password, *msg;
        enum faas_code code;
    } cases[] = {
        {" \n", "p", "basic-auth-user: is empty", FAAS_ERR_INVALID},
        {"a", "\n", "basic-auth-password: is empty", FAAS_ERR_INVALID},
        {"a:b", "p", "basic-auth-user: a user name cannot hold a colon", FAAS_ERR_INVALID},
        {NULL, NULL, "basic-auth-user", FAAS_ERR_NOT_FOUND},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *dir = faas_asprintf("%s/%zu", (char *)*state, i);
        struct faas_error err = {0};

        assert_int_equal(mkdir(dir, 0700), 0);
        if (cases[i].user)
            put_pair(dir, cases[i].user, cases[i].password);
        assert_null(faas_credentials_load(dir, &err));
        assert_int_equal(err.code, cases[i].code);
        if (!strstr(err.msg, cases[i].msg))
            fail_msg("%s", err.msg);
    }
}

static void a_nul_in_a_secret_is_refused(void **state)
{
    struct faas_error err = {0};

    put_pair(*state, "admin", "x");
    put(*state, "basic-auth-password", "a\0b", 3);
    assert_null(faas_credentials_load(*state, &err));
    assert_non_null(strstr(err.msg, "NUL"));
}

static void the_first_start_makes_credentials_and_the_second_keeps_them(void **state)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/state/secrets", (char *)*state);
    _cleanup_free_ char *file = faas_asprintf("%s/basic-auth-password", dir);
    _cleanup_(faas_credentials_freep) struct faas_credentials *first = NULL, *second = NULL;
    bool created = false;
    struct stat st;

    assert_int_equal(faas_credentials_ensure(dir, &created, NULL), 0);
    assert_true(created);
    first = faas_credentials_load(dir, NULL);
    assert_string_equal(faas_credentials_user(first), "admin");
    assert_true(strlen(faas_credentials_password(first)) >= 32);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);

    assert_int_equal(faas_credentials_ensure(dir, &created, NULL), 0);
    assert_false(created);
    second = faas_credentials_load(dir, NULL);
    assert_string_equal(faas_credentials_password(first), faas_credentials_password(second));
}

static void a_lost_password_is_made_anew_but_the_user_stays(void **state)
{
    _cleanup_(faas_credentials_freep) struct faas_credentials *c = NULL;
    bool created = false;

    put(*state, "basic-auth-user", "me", 2);
    assert_int_equal(faas_credentials_ensure(*state, &created, NULL), 0);
    assert_true(created);
    c = faas_credentials_load(*state, NULL);
    assert_string_equal(faas_credentials_user(c), "me");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/f/secrets", (char *)*state);
    struct faas_error err = {0};
    bool created = true;

    put(*state, "f", "", 0);
    assert_int_equal(faas_credentials_ensure(dir, &created, &err), -1);
    assert_false(created);
    assert_non_null(strstr(err.msg, "/f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tmpdir_test(only_the_right_pair_passes),
        tmpdir_test(a_clients_header_passes_the_check),
        tmpdir_test(bad_secret_files_are_named),
        tmpdir_test(a_nul_in_a_secret_is_refused),
        tmpdir_test(the_first_start_makes_credentials_and_the_second_keeps_them),
        tmpdir_test(a_lost_password_is_made_anew_but_the_user_stays),
        tmpdir_test(a_folder_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
