#include "cli/template_repo.h"
#include "tests/unit/tmpdir.h"

#include <stdio.h>

static int no_environment(void **state)
{
    unsetenv("OPENFAAS_TEMPLATE_URL");
    return tmpdir_setup(state);
}

static void urls_may_name_a_branch_a_tag_or_a_commit(void **state)
{
    static const struct {
        const char *text, *url, *ref;
    } cases[] = {
        {"https://example.com/a.git", "https://example.com/a.git", NULL},
        {"https://example.com/a#v1.2", "https://example.com/a", "v1.2"},
        {"https://example.com/a#feature/x_y-z", "https://example.com/a", "feature/x_y-z"},
        {"git@example.com:me/a.git#main", "git@example.com:me/a.git", "main"},
        {"ssh://git@example.com/a#sha-0123abc", "ssh://git@example.com/a", "sha-0123abc"},
        {"git://example.com/a", "git://example.com/a", NULL},
        {"file:///srv/a#v1", "file:///srv/a", "v1"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_template_repo_ struct cli_template_repo r = {0};

        print_message("%s\n", cases[i].text);
        assert_int_equal(cli_template_repo_parse(&r, cases[i].text, NULL), 0);
        assert_string_equal(r.url, cases[i].url);
        assert_false(r.folder);
        if (cases[i].ref)
            assert_string_equal(r.ref, cases[i].ref);
        else
            assert_null(r.ref);
    }
}

static void what_git_must_not_be_given_is_refused(void **state)
{
    static const char *const cases[] = {
        "ext::sh -c id",
        "--upload-pack=id",
        "no-such-folder",
        "ftp://example.com/a",
        "https://example.com/a#",
        "https://example.com/a#-b",
        "https://example.com/a#a..b",
        "https://example.com/a#a b",
        "https://example.com/a#a//b",
        "https://example.com/a#/a",
        "https://example.com/a#a/",
        "https://example.com/a#.a",
        "https://example.com/a#a.",
        "https://example.com/a#a/.b",
        "https://example.com/a#a.lock",
        "https://example.com/a#a@{1}",
        "https://example.com/a#sha-",
        "https://example.com/a#sha-012345",
        "https://example.com/a#sha-0123456g",
        "https://example.com/a#sha-00000000000000000000000000000000000000000",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_template_repo_ struct cli_template_repo r = {0};
        struct faas_error err = {0};

        print_message("%s\n", cases[i]);
        assert_int_equal(cli_template_repo_parse(&r, cases[i], &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_true(err.msg[0]);
    }
}

static void a_local_path_is_a_repository_or_a_plain_folder(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *git = faas_asprintf("%s/.git", dir);
    _cleanup_free_ char *with_ref = faas_asprintf("%s#v1", dir);

    for (int is_git = 0; is_git < 2; is_git++) {
        _cleanup_template_repo_ struct cli_template_repo plain = {0};
        _cleanup_template_repo_ struct cli_template_repo ref = {0};

        assert_int_equal(cli_template_repo_parse(&plain, dir, NULL), 0);
        assert_int_equal(plain.url[0], '/');
        assert_int_equal(plain.folder, !is_git);
        assert_int_equal(cli_template_repo_parse(&ref, with_ref, NULL), is_git ? 0 : -1);
        assert_int_equal(faas_mkdirs(git, 0700, NULL), 0);
    }
}

static void passwords_are_not_for_showing(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"https://me:token@example.com/a", "https://example.com/a"},
        {"https://token@example.com/a@b", "https://example.com/a@b"},
        {"https://example.com/a@b", "https://example.com/a@b"},
        {"ssh://git@example.com/a", "ssh://git@example.com/a"},
        {"git@example.com:a", "git@example.com:a"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_template_repo_ struct cli_template_repo r = {0};

        assert_int_equal(cli_template_repo_parse(&r, cases[i].text, NULL), 0);
        assert_string_equal(r.shown, cases[i].shown);
        assert_string_equal(r.url, cases[i].text);
    }
}

static const char *chosen(const char *text)
{
    static char url[256];
    _cleanup_template_repo_ struct cli_template_repo r = {0};

    assert_int_equal(cli_template_repo_parse(&r, text, NULL), 0);
    snprintf(url, sizeof(url), "%s%s%s", r.url, r.ref ? "#" : "", r.ref ? r.ref : "");
    return url;
}

static void the_environment_replaces_only_the_default(void **state)
{
    (void)state;
    assert_string_equal(chosen(NULL), CLI_TEMPLATE_REPO_DEFAULT);
    setenv("OPENFAAS_TEMPLATE_URL", "https://example.com/mine#v1", 1);
    assert_string_equal(chosen(NULL), "https://example.com/mine#v1");
    assert_string_equal(chosen(""), "https://example.com/mine#v1");
    assert_string_equal(chosen(CLI_TEMPLATE_REPO_DEFAULT), "https://example.com/mine#v1");
    assert_string_equal(chosen("https://example.com/other"), "https://example.com/other");
}

#define test(f) cmocka_unit_test_setup_teardown(f, no_environment, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(urls_may_name_a_branch_a_tag_or_a_commit),
        test(what_git_must_not_be_given_is_refused),
        test(a_local_path_is_a_repository_or_a_plain_folder),
        test(passwords_are_not_for_showing),
        test(the_environment_replaces_only_the_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
