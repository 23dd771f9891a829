#include "libfaas/alloc.h"
#include "providers/local/bundle.h"
#include "providers/local/launch.h"
#include "providers/local/secrets.h"
#include "providers/local/state_dir.h"
#include "providers/local/store.h"
#include "tests/unit/tmpdir.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *path_in(const char *dir, const char *rest)
{
    return faas_asprintf("%s/%s", dir, rest);
}

static void write_file(const char *dir, const char *rest, const char *text)
{
    _cleanup_free_ char *path = path_in(dir, rest);
    struct faas_error err = {0};

    assert_int_equal(faas_file_replace(path, faas_str_from(text), 0600, &err), 0);
}

static bool exists(const char *dir, const char *rest)
{
    _cleanup_free_ char *path = path_in(dir, rest);

    return faas_file_exists(path);
}

static struct local_record figlet(void)
{
    struct local_record r = {
        .desired = 3,
        .uid = 70001,
        .digest = faas_strdup(DIGEST),
        .created_ns = 1700000000123456789,
    };

    r.spec.service = faas_strdup("figlet");
    r.spec.namespace_ = faas_strdup("openfaas-fn");
    r.spec.image = faas_strdup("figlet:1");
    faas_map_set(&r.spec.env, "greeting", "a \"quoted\" line\nand another");
    faas_map_set(&r.spec.labels, "com.openfaas.scale.min", "3");
    faas_strv_add(&r.spec.secrets, "api-key");
    return r;
}

struct loaded {
    struct local_record r;
    int n;
};

static void keep(void *arg, struct local_record *r)
{
    struct loaded *l = arg;

    local_record_deinit(&l->r);
    l->r = *r;
    *r = (struct local_record){0};
    l->n++;
}

/* --- records --- */

static void a_record_survives_the_disk(void **state)
{
    const char *dir = *state;
    const struct faas_log silent = {0};
    struct local_record r = figlet();
    struct loaded l = {0};
    struct faas_error err = {0};

    assert_int_equal(local_store_save(dir, &r, &err), 0);
    assert_true(exists(dir, "functions/openfaas-fn/figlet.json"));
    assert_int_equal(local_store_load(dir, &silent, keep, &l, &err), 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.r.desired, 3);
    assert_int_equal(l.r.uid, 70001);
    assert_string_equal(l.r.digest, DIGEST);
    assert_int_equal(l.r.created_ns, 1700000000123456789);
    assert_string_equal(l.r.spec.image, "figlet:1");
    assert_true(faas_map_eq(&l.r.spec.env, &r.spec.env));
    assert_true(faas_map_eq(&l.r.spec.labels, &r.spec.labels));
    assert_true(faas_strv_eq(&l.r.spec.secrets, &r.spec.secrets));

    assert_int_equal(local_store_remove(dir, "figlet", "openfaas-fn", &err), 0);
    assert_int_equal(local_store_remove(dir, "figlet", "openfaas-fn", &err), 0);
    assert_int_equal(local_store_load(dir, &silent, keep, &l, &err), 0);
    assert_int_equal(l.n, 1);
    local_record_deinit(&l.r);
    local_record_deinit(&r);
}

static void an_empty_state_holds_no_records(void **state)
{
    const struct faas_log silent = {0};
    struct loaded l = {0};
    struct faas_error err = {0};

    assert_int_equal(local_store_load(*state, &silent, keep, &l, &err), 0);
    assert_int_equal(l.n, 0);
}

struct sink {
    char text[8192];
};

static void sink_write(void *self, struct faas_str line)
{
    struct sink *s = self;
    size_t used = strlen(s->text);

    snprintf(s->text + used, sizeof(s->text) - used, "%.*s", FAAS_STR_FMT(line));
}

static void a_broken_record_is_set_aside_and_the_rest_loaded(void **state)
{
    static const struct {
        const char *text, *why;
    } broken[] = {
        {"{\"version\":1,", "column"},
        {"[]", "object"},
        {"{\"version\":2,\"createdAt\":\"2026-01-02T03:04:05Z\",\"function\":{}}", "version"},
        {"{\"version\":1,\"createdAt\":\"2026-01-02T03:04:05Z\"}", "function"},
        {"{\"version\":1,\"createdAt\":\"yesterday\",\"function\":{}}", "createdAt"},
        {"{\"version\":1,\"uid\":4294967296,\"createdAt\":\"2026-01-02T03:04:05Z\","
         "\"function\":{}}",
         "uid"},
        {"{\"version\":1,\"createdAt\":\"2026-01-02T03:04:05Z\",\"digest\":\"" DIGEST "\","
         "\"function\":{\"service\":\"other\",\"image\":\"x\",\"namespace\":\"openfaas-fn\"}}",
         "\"other\""},
        {"{\"version\":1,\"createdAt\":\"2026-01-02T03:04:05Z\",\"digest\":\"../..\","
         "\"function\":{\"service\":\"bad\",\"image\":\"x\",\"namespace\":\"openfaas-fn\"}}",
         "digest"},
        {"{\"version\":1,\"createdAt\":\"2026-01-02T03:04:05Z\",\"digest\":\"" DIGEST "\","
         "\"function\":{\"service\":\"bad\",\"image\":\"x\",\"namespace\":\"openfaas-fn\","
         "\"secrets\":[\"../../etc/shadow\"]}}",
         "secret"},
        {"", "column"},
    };
    const char *dir = *state;
    struct local_record r = figlet();
    struct faas_error err = {0};

    assert_int_equal(local_store_save(dir, &r, &err), 0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(broken); i++) {
        struct sink sink = {0};
        const struct faas_log_sink to = {.write = sink_write, .self = &sink};
        const struct faas_log log = {.sink = &to, .clock = &faas_system_clock, .component = "test"};
        _cleanup_free_ char *aside =
            i == 0 ? faas_strdup("functions/openfaas-fn/bad.json.broken")
                   : faas_asprintf("functions/openfaas-fn/bad.json.broken.%zu", i);
        struct loaded l = {0};

        print_message("  %s\n", broken[i].text);
        write_file(dir, "functions/openfaas-fn/bad.json", broken[i].text);
        assert_int_equal(local_store_load(dir, &log, keep, &l, &err), 0);
        assert_int_equal(l.n, 1);
        assert_string_equal(l.r.spec.service, "figlet");
        assert_false(exists(dir, "functions/openfaas-fn/bad.json"));
        assert_true(exists(dir, aside));
        assert_non_null(strstr(sink.text, "bad.json.broken"));
        assert_non_null(strstr(sink.text, broken[i].why[0] == '"' ? "other" : broken[i].why));
        local_record_deinit(&l.r);
    }
    local_record_deinit(&r);
}

/* --- a full disk --- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_the_old_record(void **state)
{
    const char *dir = *state;
    const struct faas_log silent = {0};
    struct local_record r = figlet();
    struct loaded l = {0};
    _cleanup_free_ char *big = faas_zalloc(100001);
    struct faas_error err = {0};

    assert_int_equal(local_store_save(dir, &r, &err), 0);
    memset(big, 'x', 100000);
    faas_map_set(&r.spec.env, "big", big);
    r.desired = 9;
    signal(SIGXFSZ, SIG_IGN);
    limit_files(50000);
    assert_int_equal(local_store_save(dir, &r, &err), -1);
    limit_files(0);
    print_message("  %s\n", err.msg);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_int_equal(local_store_load(dir, &silent, keep, &l, &err), 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.r.desired, 3);
    local_record_deinit(&l.r);
    local_record_deinit(&r);
}

/* --- bundle.json --- */

static void a_bundle_manifest_is_read_strictly(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: accepted */
    } cases[] = {
        {"{\"version\":1,\"fprocess\":\"cat\"}", NULL},
        {"{\"version\":1,\"language\":\"c\",\"fprocess\":\"./handler\",\"environment\":{}}", NULL},
        {"{\"version\":1,\"fprocess\":\"cat\",\"environment\":{\"mode\":\"http\"}}", NULL},
        {"{\"version\":2,\"fprocess\":\"cat\"}", "version"},
        {"{\"fprocess\":\"cat\"}", "version"},
        {"{\"version\":1}", "fprocess"},
        {"{\"version\":1,\"fprocess\":\"  \"}", "fprocess"},
        {"{\"version\":1,\"fprocess\":[\"cat\"]}", "fprocess"},
        {"{\"version\":1,\"fprocess\":\"cat\",\"environment\":{\"a=b\":\"c\"}}", "a=b"},
        {"{\"version\":1,\"fprocess\":\"cat\",\"environment\":[]}", "environment"},
        {"[]", "object"},
        {"", "bundle.json"},
    };
    const char *dir = *state;
    struct local_bundle b = {0};
    struct faas_error err = {0};

    assert_int_equal(local_bundle_load(dir, &b, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_string_equal(err.msg, "the bundle has no bundle.json");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].text);
        write_file(dir, "bundle.json", cases[i].text);
        if (!cases[i].why) {
            assert_int_equal(local_bundle_load(dir, &b, &err), 0);
            assert_non_null(b.fprocess);
            local_bundle_deinit(&b);
            continue;
        }
        assert_int_equal(local_bundle_load(dir, &b, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_null(b.fprocess);
    }
}

/* --- what a replica is started with --- */

static struct local_launch *launch_of(const char *dir, const struct local_record *r,
                                      const struct local_options *o)
{
    const struct local_launch_input in = {
        .record = r,
        .options = o,
        .bundle_dir = dir,
        .secret_dir = "/state/run/ns.figlet/secrets",
        .gateway_url = "http://127.0.0.1:8080",
    };
    struct faas_error err = {0};
    struct local_launch *l = local_launch_new(&in, &err);

    if (!l)
        fail_msg("%s", err.msg);
    return l;
}

static void the_environment_is_layered(void **state)
{
    static const struct {
        const char *name, *value;
    } want[] = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"LANG", "C.UTF-8"},
        {"fprocess", "cat"},
        {"template_default", "template"},
        {"both", "spec"},
        {"max_inflight", "7"},
        {"healthcheck_interval", "250ms"},
        {"OPENFAAS_NAME", "figlet"},
        {"OPENFAAS_NAMESPACE", "openfaas-fn"},
        {"OPENFAAS_URL", "http://127.0.0.1:8080"},
        {"secret_mount_path", "/state/run/ns.figlet/secrets"},
        {"metrics_port", "0"},
        {"LISTEN_FDS", "1"},
        {"LISTEN_PID", NULL},
    };
    const char *dir = *state;
    const struct local_options o = {.stop_grace_ms = 5000, .function_nofile = 1024};
    struct local_record r = figlet();
    struct local_launch *l;

    write_file(dir, "bundle.json",
               "{\"version\":1,\"fprocess\":\"cat\",\"environment\":"
               "{\"template_default\":\"template\",\"both\":\"template\"}}");
    faas_map_set(&r.spec.env, "both", "spec");
    faas_map_set(&r.spec.env, "max_inflight", "7");
    faas_map_set(&r.spec.env, "healthcheck_interval", "250ms");
    faas_map_set(&r.spec.env, "write_timeout", "10");
    faas_map_set(&r.spec.env, "metrics_port", "8081");
    faas_map_set(&r.spec.env, "LISTEN_PID", "1");
    l = launch_of(dir, &r, &o);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(want); i++) {
        const char *value = faas_map_get(&l->env, want[i].name);

        print_message("  %s\n", want[i].name);
        if (want[i].value)
            assert_string_equal(value, want[i].value);
        else
            assert_null(value);
    }
    assert_int_equal(l->close_ms, 250 + 5000);
    assert_int_equal(l->stop_ms, 250 + 5000 + 10000);
    local_launch_unref(l);

    faas_map_set(&r.spec.env, "fprocess", "from env");
    l = launch_of(dir, &r, &o);
    assert_string_equal(faas_map_get(&l->env, "fprocess"), "from env");
    local_launch_unref(l);
    r.spec.env_process = faas_strdup("from envProcess");
    l = launch_of(dir, &r, &o);
    assert_string_equal(faas_map_get(&l->env, "fprocess"), "from envProcess");
    local_launch_unref(l);
    local_record_deinit(&r);
}

static rlim_t limit_of(const struct local_launch *l, int resource)
{
    for (size_t i = 0; i < l->n_rlimits; i++) {
        if (l->rlimits[i].resource == resource) {
            assert_int_equal(l->rlimits[i].limit.rlim_cur, l->rlimits[i].limit.rlim_max);
            return l->rlimits[i].limit.rlim_cur;
        }
    }
    return RLIM_INFINITY;
}

static void limits_become_rlimits(void **state)
{
    static const struct {
        const char *memory;
        rlim_t data;
    } cases[] = {
        {NULL, RLIM_INFINITY},     {"", RLIM_INFINITY},       {"128Mi", (rlim_t)128 << 20},
        {"64M", (rlim_t)64000000}, {"5Mi", (rlim_t)16 << 20},
    };
    const char *dir = *state;
    const struct local_options o = {.function_nofile = 512, .function_nproc = 64};
    struct local_record r = figlet();

    write_file(dir, "bundle.json", "{\"version\":1,\"fprocess\":\"cat\"}");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct local_launch *l;

        free(r.spec.limits.memory);
        r.spec.limits.memory = cases[i].memory ? faas_strdup(cases[i].memory) : NULL;
        l = launch_of(dir, &r, &o);
        assert_int_equal(limit_of(l, RLIMIT_DATA), cases[i].data);
        assert_int_equal(limit_of(l, RLIMIT_CORE), 0);
        assert_int_equal(limit_of(l, RLIMIT_NOFILE), 512);
        assert_int_equal(limit_of(l, RLIMIT_NPROC), RLIM_INFINITY);
        local_launch_unref(l);
    }
    local_record_deinit(&r);
}

static void user_ranges_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "",   "70000", "70000-", "-99999", "99999-70000", "0-10", "1-70000", "70000-99999999999",
        "a-b"};
    uid_t first = 0, last = 0;
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(local_parse_uids("70000-99999", &first, &last, &err), 0);
    assert_int_equal(first, 70000);
    assert_int_equal(last, 99999);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        print_message("  \"%s\"\n", bad[i]);
        assert_int_equal(local_parse_uids(bad[i], &first, &last, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, "function_uids"));
    }
}

/* --- secrets --- */

static mode_t mode_of(const char *dir, const char *rest)
{
    _cleanup_free_ char *path = path_in(dir, rest);
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_content(const char *dir, const char *rest, const char *p, size_t n)
{
    _cleanup_free_ char *path = path_in(dir, rest);
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    assert_int_equal(faas_file_read(path, 4096, &text, &err), 0);
    assert_int_equal(text.len, n);
    assert_memory_equal(text.data, p, n);
}

static void secrets_reach_a_function_byte_for_byte(void **state)
{
    static const char value[] = {'a', '\0', '\n', (char)0xff, '\n'};
    const char *dir = *state;
    _cleanup_free_ char *target = path_in(dir, "fn/secrets");
    _cleanup_free_ char *root = path_in(dir, "fn");
    const struct local_secret_target to = {.root = root, .dir = target};
    struct faas_secret s = {.name = (char *)"key", .namespace_ = (char *)"ns"};
    _cleanup_strv_ struct faas_strv names = {0}, all = {0}, none = {0}, spaces = {0};
    struct faas_error err = {0};

    assert_int_equal(mkdir(root, 0700), 0);
    faas_buf_append(&s.value, value, sizeof(value));
    assert_int_equal(local_secret_save(dir, &s, &err), 0);
    assert_int_equal(mode_of(dir, "secrets/ns/key"), 0600);
    assert_int_equal(mode_of(dir, "secrets/ns"), 0700);
    assert_true(local_secret_exists(dir, "ns", "key"));
    assert_false(local_secret_exists(dir, "other", "key"));
    faas_strv_add(&names, "key");
    assert_int_equal(local_secret_copy(dir, "ns", &names, &to, &err), 0);
    assert_content(dir, "fn/secrets/key", value, sizeof(value));
    assert_int_equal(mode_of(dir, "fn/secrets/key"), 0400);

    faas_buf_clear(&s.value);
    assert_int_equal(local_secret_save(dir, &s, &err), 0);
    assert_int_equal(local_secret_copy(dir, "ns", &names, &to, &err), 0);
    assert_content(dir, "fn/secrets/key", "", 0);
    assert_false(exists(dir, "fn/.secret"));

    assert_int_equal(local_secret_list(dir, "ns", &all, &err), 0);
    assert_true(faas_strv_eq(&all, &names));
    assert_int_equal(local_secret_namespaces(dir, &spaces, &err), 0);
    assert_int_equal(spaces.len, 1);
    local_secret_prune(&to, &names);
    assert_true(exists(dir, "fn/secrets/key"));
    local_secret_prune(&to, &none);
    assert_false(exists(dir, "fn/secrets/key"));

    faas_strv_add(&names, "missing");
    assert_int_equal(local_secret_copy(dir, "ns", &names, &to, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "\"missing\""));
    assert_int_equal(local_secret_remove(dir, "ns", "key", &err), 0);
    assert_false(local_secret_exists(dir, "ns", "key"));
    faas_buf_deinit(&s.value);
}

static void a_copy_belongs_to_its_function_alone(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *target = path_in(dir, "fn/secrets");
    _cleanup_free_ char *root = path_in(dir, "fn");
    _cleanup_free_ char *copy = path_in(dir, "fn/secrets/key");
    const struct local_secret_target to = {
        .root = root, .dir = target, .set_owner = true, .gid = 70001};
    struct faas_secret s = {.name = (char *)"key", .namespace_ = (char *)"ns"};
    _cleanup_strv_ struct faas_strv names = {0};
    struct stat st;
    struct faas_error err = {0};

    if (geteuid() != 0) {
        print_message("  only root can give files away\n");
        return;
    }
    assert_int_equal(mkdir(root, 0711), 0);
    faas_strv_add(&names, "key");
    assert_int_equal(local_secret_save(dir, &s, &err), 0);
    assert_int_equal(local_secret_copy(dir, "ns", &names, &to, &err), 0);
    assert_int_equal(mode_of(dir, "fn/secrets"), 0750);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0440);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_gid, 70001);
}

static void an_oversized_secret_is_refused(void **state)
{
    struct faas_secret s = {.name = (char *)"key", .namespace_ = (char *)"ns"};
    struct faas_error err = {0};

    memset(faas_buf_reserve(&s.value, LOCAL_SECRET_MAX + 1), 'x', LOCAL_SECRET_MAX + 1);
    s.value.len = LOCAL_SECRET_MAX + 1;
    assert_int_equal(local_secret_save(*state, &s, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
    assert_false(local_secret_exists(*state, "ns", "key"));
    faas_buf_deinit(&s.value);
}

/* --- the directory --- */

static void two_gateways_cannot_share_a_state_directory(void **state)
{
    _cleanup_free_ char *pid = faas_asprintf("process %d", (int)getpid());
    struct faas_error err = {0};
    int first = local_state_dir_lock(*state, &err);

    assert_true(first >= 0);
    assert_int_equal(local_state_dir_lock(*state, &err), -1);
    print_message("  %s\n", err.msg);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, pid));
    close(first);
    first = local_state_dir_lock(*state, &err);
    assert_true(first >= 0);
    close(first);
}

static void a_folder_that_functions_cannot_pass_is_named(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *below = path_in(dir, "state");
    struct faas_error err = {0};

    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(local_state_dir_passable(below, &err), -1);
    print_message("  %s\n", err.msg);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "mode 700"));
    assert_int_equal(mode_of(dir, "state"), 0711);
    assert_int_equal(chmod(dir, 0711), 0);
    assert_int_equal(local_state_dir_passable(below, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tmpdir_test(a_record_survives_the_disk),
        tmpdir_test(an_empty_state_holds_no_records),
        tmpdir_test(a_broken_record_is_set_aside_and_the_rest_loaded),
        tmpdir_test(a_full_disk_leaves_the_old_record),
        tmpdir_test(a_bundle_manifest_is_read_strictly),
        tmpdir_test(the_environment_is_layered),
        tmpdir_test(limits_become_rlimits),
        cmocka_unit_test(user_ranges_are_read_strictly),
        tmpdir_test(secrets_reach_a_function_byte_for_byte),
        tmpdir_test(a_copy_belongs_to_its_function_alone),
        tmpdir_test(an_oversized_secret_is_refused),
        tmpdir_test(two_gateways_cannot_share_a_state_directory),
        tmpdir_test(a_folder_that_functions_cannot_pass_is_named),
    };
    return cmocka_run_group_tests_name("local store", tests, NULL, NULL);
}
