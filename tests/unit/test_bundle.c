/* From a function to its bundle: context, build arguments, image names, recipe, manifest. */
#include "cli/build.h"
#include "cli/bundle.h"
#include "cli/context.h"
#include "cli/image.h"
#include "libfaas/file.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char scratch[64];

/* Each test works in an empty folder of its own. */
static int enter_scratch(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/cli-bundle-XXXXXX");
    return mkdtemp(scratch) && chdir(scratch) == 0 ? 0 : -1;
}

static int leave_scratch(void **state)
{
    (void)state;
    return chdir("/") == 0 ? faas_remove_tree(scratch, NULL) : -1;
}

static void put(const char *path, const char *text, mode_t mode)
{
    char folder[256];

    snprintf(folder, sizeof(folder), "%s", path);
    if (strrchr(folder, '/')) {
        *strrchr(folder, '/') = '\0';
        assert_int_equal(faas_mkdirs(folder, 0755, NULL), 0);
    }
    assert_int_equal(faas_file_replace(path, faas_str_from(text), mode, NULL), 0);
}

static void expect(const char *path, const char *text)
{
    _cleanup_buf_ struct faas_buf content = {0};
    struct faas_error err = {0};

    if (faas_file_read(path, 1 << 20, &content, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(content.data ? content.data : "", text);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void put_template(void)
{
    put("template/x/template.yml", "language: x\nfprocess: ./run\n", 0644);
    put("template/x/run", "#!/bin/sh\ncat\n", 0755);
    put("template/x/.hidden", "h", 0644);
    put("template/x/function/handler.x", "skeleton", 0644);
    put("template/x/function/extra.x", "extra", 0644);
}

static void a_context_is_template_handler_and_copies(void **state)
{
    _cleanup_strv_ struct faas_strv copy = {0};
    const struct cli_context c = {.name = "f",
                                  .template_dir = "template/x",
                                  .handler_folder = "function",
                                  .handler = "./f",
                                  .copy = &copy};
    struct faas_error err = {0};

    (void)state;
    put_template();
    put("f/handler.x", "mine", 0640);
    put("f/build/no", "", 0644);
    put("f/template/no", "", 0644);
    put("f/sub/build/yes", "", 0644);
    put("shared/s", "shared", 0644);
    put("data/words.txt", "words", 0644);
    put("build/f/stale", "", 0644);
    assert_int_equal(symlink("handler.x", "f/link"), 0);
    faas_strv_add(&copy, "./shared/");
    faas_strv_add(&copy, "data/words.txt");
    if (cli_context_assemble(&c, &err) < 0)
        fail_msg("%s", err.msg);
    expect("build/f/template.yml", "language: x\nfprocess: ./run\n");
    expect("build/f/.hidden", "h");
    expect("build/f/function/handler.x", "mine");
    expect("build/f/function/link", "mine");
    expect("build/f/function/extra.x", "extra");
    expect("build/f/function/sub/build/yes", "");
    expect("build/f/function/shared/s", "shared");
    expect("build/f/function/data/words.txt", "words");
    assert_int_equal(mode_of("build/f/run"), 0755);
    assert_int_equal(mode_of("build/f/function/handler.x"), 0640);
    assert_false(faas_file_exists("build/f/stale"));
    assert_false(faas_file_exists("build/f/function/build"));
    assert_false(faas_file_exists("build/f/function/template"));
}

static void the_whole_project_can_be_a_handler(void **state)
{
    const struct cli_context c = {.name = "f",
                                  .template_dir = "template/x",
                                  .handler_folder = "function",
                                  .handler = ".",
                                  .copy = &(struct faas_strv){0}};

    (void)state;
    put_template();
    put("handler.x", "mine", 0644);
    assert_int_equal(cli_context_assemble(&c, NULL), 0);
    assert_int_equal(cli_context_assemble(&c, NULL), 0);
    expect("build/f/function/handler.x", "mine");
    assert_false(faas_file_exists("build/f/function/build"));
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const names[] = {"../x", "..", "a/b", "", "UPPER"};
    static const char *const copies[] = {"..", "../x",    "/etc/hostname",
                                         ".",  "missing", "out/hostname"};
    struct cli_context c = {.template_dir = "template/x",
                            .handler_folder = "function",
                            .handler = "f",
                            .copy = &(struct faas_strv){0}};

    (void)state;
    put_template();
    put("f/handler.x", "mine", 0644);
    assert_int_equal(symlink("/etc", "out"), 0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        c.name = names[i];
        assert_int_equal(cli_context_assemble(&c, NULL), -1);
    }
    c.name = "f";
    for (size_t i = 0; i < FAAS_ARRAY_LEN(copies); i++) {
        _cleanup_strv_ struct faas_strv copy = {0};
        struct faas_error err = {0};

        faas_strv_add(&copy, copies[i]);
        c.copy = &copy;
        assert_int_equal(cli_context_assemble(&c, &err), -1);
        assert_non_null(strstr(err.msg, "copy "));
    }
    c.copy = &(struct faas_strv){0};
    c.handler = "nowhere";
    assert_int_equal(cli_context_assemble(&c, NULL), -1);
}

static void collect(void *arg, struct faas_str line)
{
    faas_buf_append_str(arg, line);
    faas_buf_append_c(arg, '|');
}

/* Bundles build/f, which the test has put there. */
static int bundle(const struct cli_template *t, struct faas_buf *output, struct faas_error *err)
{
    const struct cli_function fn = {.name = "f", .lang = "x"};
    struct cli_build_job job = {.fn = &fn,
                                .template_ = t,
                                .dir = "build/f",
                                .image = "f:latest",
                                .line = collect,
                                .arg = output};
    int rc;

    faas_map_set(&job.args, "COLOUR", "blue");
    rc = cli_bundle_builder.build(&cli_bundle_builder, &job, err);
    faas_map_deinit(&job.args);
    return rc;
}

static void a_recipe_runs_in_the_bundle_with_the_build_arguments(void **state)
{
    const struct cli_template t = {.dir = "template/x", .language = "x", .fprocess = "./run"};
    _cleanup_buf_ struct faas_buf output = {0};
    struct faas_error err = {0};

    (void)state;
    put("build/f/bundle.sh", "echo to stdout\necho $COLOUR >&2\nprintf made > made\n", 0644);
    if (bundle(&t, &output, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(output.data, "to stdout|blue|");
    expect("build/f/made", "made");
    expect("build/f/bundle.json",
           "{\n  \"version\": 1,\n  \"language\": \"x\",\n  \"fprocess\": \"./run\"\n}\n");
    assert_true(cli_bundle_is_complete("build/f"));
}

static void a_failing_recipe_leaves_no_bundle(void **state)
{
    static const char *const recipes[] = {"exit 3\n", "false\n", "echo $UNSET_VARIABLE\n",
                                          "kill -9 $$\n"};
    const struct cli_template t = {.dir = "template/x", .fprocess = "./run"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(recipes); i++) {
        _cleanup_buf_ struct faas_buf output = {0};
        struct faas_error err = {0};

        put("build/f/bundle.sh", recipes[i], 0644);
        put("build/f/bundle.json", "{}", 0644); /* brought by a handler */
        assert_int_equal(bundle(&t, &output, &err), -1);
        assert_non_null(strstr(err.msg, "build/f/bundle.sh ended with "));
        assert_false(cli_bundle_is_complete("build/f"));
    }
}

static void what_needs_a_container_engine_is_said_to(void **state)
{
    const struct cli_template t = {.dir = "template/x", .fprocess = "./run"};
    const struct cli_template no_process = {.dir = "template/x"};
    _cleanup_buf_ struct faas_buf output = {0};
    struct faas_error err = {0};

    (void)state;
    put("build/f/Dockerfile", "FROM scratch\n", 0644);
    assert_int_equal(bundle(NULL, &output, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNSUPPORTED);
    assert_int_equal(bundle(&t, &output, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNSUPPORTED);
    put("build/f/bundle.sh", "", 0644);
    assert_int_equal(bundle(&no_process, &output, &err), -1);
    assert_string_equal(err.msg, "template/x/template.yml has no fprocess");
    assert_int_equal(bundle(&t, &output, &err), 0);
}

static void the_manifest_carries_the_templates_environment(void **state)
{
    _cleanup_template_ struct cli_template t = {0};
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    assert_int_equal(cli_template_parse(&t,
                                        FAAS_STR("language: n\nfprocess: node index.js\n"
                                                 "environment: {mode: http, port: 3000}\n"),
                                        "template.yml", NULL),
                     0);
    cli_bundle_manifest(&out, &t);
    assert_string_equal(out.data, "{\n  \"version\": 1,\n  \"language\": \"n\",\n"
                                  "  \"fprocess\": \"node index.js\",\n  \"environment\": {\n"
                                  "    \"mode\": \"http\",\n    \"port\": \"3000\"\n  }\n}\n");
}

static void templates_are_checked(void **state)
{
    static const char *const bad[] = {"- x\n",
                                      "handler_folder: /etc\n",
                                      "handler_folder: a/../../b\n",
                                      "build_options: {a: b}\n",
                                      "build_options: [a]\n",
                                      "build_options:\n  - packages: [a]\n",
                                      "fprocess: [a]\n"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        _cleanup_template_ struct cli_template t = {0};
        struct faas_error err = {0};

        assert_int_equal(cli_template_parse(&t, faas_str_from(bad[i]), "t/template.yml", &err), -1);
        assert_non_null(strstr(err.msg, "t/template.yml:"));
    }
}

static void build_arguments_and_packages_add_up(void **state)
{
    _cleanup_template_ struct cli_template t = {0};
    struct cli_function fn = {.name = "f"};
    struct cli_build_options o = {0};
    _cleanup_map_ struct faas_map args = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(
        cli_template_parse(&t,
                           FAAS_STR("build_options:\n  - name: dev\n    packages: [make, gcc]\n"
                                    "  - name: pg\n    packages: [libpq, make]\n"),
                           "t", NULL),
        0);
    faas_map_set(&fn.build_args, "A", "stack");
    faas_map_set(&fn.build_args, "B", "stack");
    faas_map_set(&fn.build_args, "ADDITIONAL_PACKAGE", "zlib curl");
    faas_strv_add(&fn.build_options, "dev");
    faas_strv_add(&o.build_args, " B = flag=x ");
    faas_strv_add(&o.build_args, "ADDITIONAL_PACKAGE=jq curl");
    faas_strv_add(&o.build_option_names, "pg");
    if (cli_build_args(&o, &fn, &t, &args, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(faas_map_get(&args, "A"), "stack");
    assert_string_equal(faas_map_get(&args, "B"), "flag=x");
    assert_string_equal(faas_map_get(&args, "ADDITIONAL_PACKAGE"), "curl gcc jq libpq make zlib");
    faas_strv_add(&o.build_option_names, "nope");
    assert_int_equal(cli_build_args(&o, &fn, &t, &args, &err), -1);
    assert_string_equal(err.msg, "the template has no build option \"nope\"");
    faas_strv_add(&o.build_args, "x");
    assert_int_equal(cli_build_args(&o, &fn, &t, &args, &err), -1);
    assert_string_equal(err.msg, "flag --build-arg: \"x\": must be written KEY=VALUE");
    faas_map_deinit(&fn.build_args);
    faas_strv_deinit(&fn.build_options);
    faas_strv_deinit(&o.build_args);
    faas_strv_deinit(&o.build_option_names);
}

static void an_image_without_a_tag_is_the_latest(void **state)
{
    static const char *const cases[][2] = {
        {"f", "f:latest"},
        {"f:1", "f:1"},
        {"localhost:5000/f", "localhost:5000/f:latest"},
        {"localhost:5000/f:2", "localhost:5000/f:2"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *tagged = cli_image_tagged(cases[i][0]);
        _cleanup_free_ char *latest = cli_image_name(cases[i][0], "Latest", NULL, NULL);

        assert_string_equal(tagged, cases[i][1]);
        assert_string_equal(latest, cases[i][1]);
    }
}

static void a_digest_replaces_the_tag(void **state)
{
    _cleanup_free_ char *image = NULL;

    (void)state;
    put("h/handler", "h\n", 0644);
    image = cli_image_name("r/img:0.2", "digest", "h", NULL);
    assert_string_equal(image, "r/img:97c3380d2824e934b4ffe4de8b1fdfb1");
    assert_null(cli_image_name("r/img:0.2", "digest", "nowhere", NULL));
}

static void other_tags_come_from_git(void **state)
{
    static const char make[] =
        "git init -q -b main . && git -c user.name=a -c user.email=a@b commit "
        "-q --allow-empty -m x && git tag v1";
    _cleanup_free_ char *sha = NULL, *branch = NULL, *described = NULL;
    struct faas_error err = {0};

    (void)state;
    setenv("GIT_CEILING_DIRECTORIES", "/tmp", 1);
    assert_null(cli_image_name("i:1", "sha", NULL, &err));
    assert_non_null(strstr(err.msg, "--tag needs a git repository"));
    assert_int_equal(system(make), 0);
    sha = cli_image_name("i:1", "sha", NULL, NULL);
    branch = cli_image_name("i:1", "branch", NULL, NULL);
    described = cli_image_name("i:1", "describe", NULL, NULL);
    assert_int_equal(strncmp(sha, "i:1-", 4), 0);
    assert_true(strlen(sha) >= 4 + 7);
    assert_int_equal(strncmp(branch, "i:1-main-", 9), 0);
    assert_string_equal(branch + 9, sha + 4);
    assert_string_equal(described, "i:1-v1");
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, enter_scratch, leave_scratch)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_context_is_template_handler_and_copies),
        IN_SCRATCH(the_whole_project_can_be_a_handler),
        IN_SCRATCH(paths_that_lead_elsewhere_are_refused),
        IN_SCRATCH(a_recipe_runs_in_the_bundle_with_the_build_arguments),
        IN_SCRATCH(a_failing_recipe_leaves_no_bundle),
        IN_SCRATCH(what_needs_a_container_engine_is_said_to),
        cmocka_unit_test(the_manifest_carries_the_templates_environment),
        cmocka_unit_test(templates_are_checked),
        cmocka_unit_test(build_arguments_and_packages_add_up),
        cmocka_unit_test(an_image_without_a_tag_is_the_latest),
        IN_SCRATCH(a_digest_replaces_the_tag),
        IN_SCRATCH(other_tags_come_from_git),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
