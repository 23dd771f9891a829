#include "libfaas/opt.h"
#include "tests/unit/unit.h"

enum mode { MODE_JSON, MODE_HUMAN };

struct config {
    char *dir, *user;
    bool auth, quiet;
    int64_t port, read_ms, limit;
    int mode;
};

static const char *const modes[] = {"json", "human", NULL};

static const struct faas_opt table[] = {
    {.env = "port",
     .type = FAAS_OPT_INT,
     .at = offsetof(struct config, port),
     .dflt = "8080",
     .min = 1,
     .max = 65535,
     .help = "where to listen",
     .group = "Server"},
    {.env = "read_timeout",
     .type = FAAS_OPT_DURATION,
     .at = offsetof(struct config, read_ms),
     .dflt = "60s",
     .max = 3600000,
     .help = "longest wait for a request"},
    {.env = "body_limit",
     .type = FAAS_OPT_SIZE,
     .at = offsetof(struct config, limit),
     .dflt = "1M",
     .min = 1024,
     .help = "largest body"},
    {.env = "basic_auth",
     .type = FAAS_OPT_BOOL,
     .at = offsetof(struct config, auth),
     .dflt = "true",
     .help = "ask for a password"},
    {.flag = "quiet",
     .type = FAAS_OPT_BOOL,
     .at = offsetof(struct config, quiet),
     .help = "say less",
     .group = "Output"},
    {.env = "log_format",
     .flag = "format",
     .type = FAAS_OPT_CHOICE,
     .at = offsetof(struct config, mode),
     .dflt = "json",
     .choices = modes,
     .help = "of the log"},
    {.env = "state_dir",
     .type = FAAS_OPT_STRING,
     .at = offsetof(struct config, dir),
     .dflt = "/var/lib/x",
     .help = "where things are kept"},
    {.env = "secret_user",
     .flag = "",
     .type = FAAS_OPT_STRING,
     .at = offsetof(struct config, user),
     .help = "only from the environment"},
};

#define N FAAS_ARRAY_LEN(table)

/* Up to 8 words; argc and argv as main would have them. */
struct args {
    const char *argv[10];
    const char *env[6];
};

static int parse(struct args args, struct config *c, int *argc, char **argv, struct faas_error *err)
{
    *argc = 0;
    while (args.argv[*argc]) {
        argv[*argc] = (char *)args.argv[*argc];
        ++*argc;
    }
    argv[*argc] = NULL;
    return faas_opt_parse(table, N, c, argc, argv, (char *const *)args.env, err);
}

static void defaults_are_read_as_if_written_by_a_user(void **state)
{
    struct config c = {0};
    struct faas_error err = {0};
    char *argv[10];
    int argc;

    (void)state;
    assert_int_equal(parse((struct args){.argv = {"prog"}}, &c, &argc, argv, &err), 0);
    assert_int_equal(c.port, 8080);
    assert_int_equal(c.read_ms, 60000);
    assert_int_equal(c.limit, 1 << 20);
    assert_true(c.auth);
    assert_false(c.quiet);
    assert_int_equal(c.mode, MODE_JSON);
    assert_string_equal(c.dir, "/var/lib/x");
    assert_null(c.user);
    faas_opt_deinit(table, N, &c);
    assert_null(c.dir);
}

static void a_flag_beats_the_environment_which_beats_the_default(void **state)
{
    struct config c = {0};
    struct faas_error err = {0};
    char *argv[10];
    int argc;
    struct args args = {
        .argv = {"prog", "--read-timeout=5s", "-port", "9000", "file", "--basic_auth=false", "--",
                 "--quiet", "-"},
        .env = {"read_timeout=7", "body_limit=64KiB", "state_dir=", "log_format=human",
                "secret_user=me"},
    };

    (void)state;
    assert_int_equal(parse(args, &c, &argc, argv, &err), 0);
    assert_int_equal(c.read_ms, 5000);
    assert_int_equal(c.limit, 65536);
    assert_int_equal(c.port, 9000);
    assert_false(c.auth);
    assert_false(c.quiet);
    assert_int_equal(c.mode, MODE_HUMAN);
    assert_string_equal(c.dir, "/var/lib/x"); /* empty counts as unset */
    assert_string_equal(c.user, "me");
    assert_int_equal(argc, 4);
    assert_string_equal(argv[1], "file");
    assert_string_equal(argv[2], "--quiet");
    assert_string_equal(argv[3], "-");
    assert_null(argv[4]);
    faas_opt_deinit(table, N, &c);
}

static void the_last_of_two_flags_wins_and_a_bool_stands_alone(void **state)
{
    struct config c = {0};
    char *argv[10];
    int argc;
    struct args args = {.argv = {"prog", "--state-dir=/a", "--state-dir", "/b", "--quiet", "x",
                                 "--format=human", "--state-dir="}};

    (void)state;
    assert_int_equal(parse(args, &c, &argc, argv, NULL), 0);
    assert_true(c.quiet);
    assert_int_equal(c.mode, MODE_HUMAN);
    assert_string_equal(c.dir, ""); /* a flag may say "empty" */
    assert_int_equal(argc, 2);
    faas_opt_deinit(table, N, &c);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        struct args args;
        const char *want;
    } cases[] = {
        {{.argv = {"p", "--nope"}}, "unknown flag --nope (see --help)"},
        {{.argv = {"p", "---port=1"}}, "unknown flag ---port=1 (see --help)"},
        {{.argv = {"p", "--log-format=json"}}, "unknown flag --log-format=json (see --help)"},
        {{.argv = {"p", "--secret-user=x"}}, "unknown flag --secret-user=x (see --help)"},
        {{.argv = {"p", "--=x"}}, "unknown flag --=x (see --help)"},
        {{.argv = {"p", "--port"}}, "--port needs a value"},
        {{.argv = {"p", "--port=0"}}, "--port: 0 is not between 1 and 65535"},
        {{.argv = {"p", "-port", "65536"}}, "-port: 65536 is not between 1 and 65535"},
        {{.argv = {"p", "--port=abc"}}, "--port: \"abc\" is not a whole number"},
        {{.argv = {"p", "--quiet=maybe"}}, "--quiet: \"maybe\" is neither true nor false"},
        {{.argv = {"p"}, .env = {"read_timeout=2h"}},
         "read_timeout: 2h0m0s is not between 0s and 1h0m0s"},
        {{.argv = {"p"}, .env = {"read_timeout=1.5"}},
         "read_timeout: \"1.5\" is neither seconds nor a duration such as 1m30s or 250ms"},
        {{.argv = {"p"}, .env = {"body_limit=1k", "body_limit=5"}}, NULL},
        {{.argv = {"p"}, .env = {"body_limit=100"}}, "body_limit: 100 is less than 1024"},
        {{.argv = {"p"}, .env = {"log_format=xml"}},
         "log_format: \"xml\" is not one of json, human"},
        {{.argv = {"p"}, .env = {"basic_auth=yes"}},
         "basic_auth: \"yes\" is neither true nor false"},
        {{.argv = {"p", "--port=1"}, .env = {"port=x"}}, "port: \"x\" is not a whole number"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct config c = {0};
        struct faas_error err = {0};
        char *argv[10];
        int argc;
        int rc = parse(cases[i].args, &c, &argc, argv, &err);

        print_message("  %s\n", cases[i].want);
        assert_int_equal(rc, cases[i].want ? -1 : 0);
        if (rc < 0) {
            assert_int_equal(err.code, FAAS_ERR_INVALID);
            assert_string_equal(err.msg, cases[i].want);
            assert_null(c.dir); /* nothing is left to free */
        }
        faas_opt_deinit(table, N, &c);
    }
}

static void a_wrong_default_is_an_error_too(void **state)
{
    static const struct faas_opt bad = {.env = "x", .type = FAAS_OPT_INT, .dflt = "many"};
    struct faas_error err = {0};
    int64_t n = 0;
    char *argv[] = {"p", NULL};
    int argc = 1;

    (void)state;
    assert_int_equal(faas_opt_parse(&bad, 1, &n, &argc, argv, NULL, &err), -1);
    assert_string_equal(err.msg, "default of x: \"many\" is not a whole number");
}

static void help_is_grouped_and_aligned(void **state)
{
    _cleanup_buf_ struct faas_buf b = {0};

    (void)state;
    faas_opt_help(&b, table, N);
    assert_string_equal(
        b.data,
        "Server:\n"
        "  --port=N                 port          where to listen (default 8080)\n"
        "  --read-timeout=DURATION  read_timeout  longest wait for a request (default 60s)\n"
        "  --body-limit=SIZE        body_limit    largest body (default 1M)\n"
        "  --basic-auth             basic_auth    ask for a password (default true)\n"
        "\n"
        "Output:\n"
        "  --quiet                                say less\n"
        "  --format=json|human      log_format    of the log (default json)\n"
        "  --state-dir=TEXT         state_dir     where things are kept (default /var/lib/x)\n"
        "                           secret_user   only from the environment\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_read_as_if_written_by_a_user),
        cmocka_unit_test(a_flag_beats_the_environment_which_beats_the_default),
        cmocka_unit_test(the_last_of_two_flags_wins_and_a_bool_stands_alone),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_wrong_default_is_an_error_too),
        cmocka_unit_test(help_is_grouped_and_aligned),
    };
    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
