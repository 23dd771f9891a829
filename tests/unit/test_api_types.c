#include "libfaas/api_types.h"
#include "tests/unit/unit.h"

#include "libfaas/alloc.h"

#include <math.h>
#include <stdio.h>

static json_t *parse(const char *text)
{
    struct faas_error err = {0};
    json_t *v = faas_json_parse(faas_str_from(text), &err);

    if (!v)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

static void read_spec(struct faas_function_spec *s, const char *text)
{
    _cleanup_json_ json_t *j = parse(text);
    struct faas_error err = {0};

    if (faas_function_spec_from_json(s, j, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
}

static void assert_spec_writes(const struct faas_function_spec *s, const char *want)
{
    _cleanup_json_ json_t *j = faas_function_spec_to_json(s);
    _cleanup_buf_ struct faas_buf out = {0};

    faas_json_write(&out, j, 0);
    assert_string_equal(out.data, want);
}

static void a_spec_is_written_as_faas_cli_writes_it(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{\"service\":\"fn2\",\"image\":\"ghcr.io/me/"
         "fn2:latest\",\"limits\":{\"memory\":\"64Mi\"}}",
         "{\"service\":\"fn2\",\"image\":\"ghcr.io/me/fn2:latest\",\"labels\":{},"
         "\"annotations\":{},\"limits\":{\"memory\":\"64Mi\"}}"},
        {"{\"readOnlyRootFilesystem\":true,\"requests\":{\"cpu\":\"100m\",\"nvidia.com/"
         "gpu\":\"1\"},"
         "\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"other\":7},\"annotations\":{\"b\":\"2\"},"
         "\"labels\":{\"z\":\"1\",\"a\":\"2\"},\"secrets\":[\"s\"],\"constraints\":[\"k=v\"],"
         "\"envVars\":{\"E\":\"\"},\"envProcess\":\"cat\",\"namespace\":\"ns\",\"image\":\"i\","
         "\"service\":\"f\",\"registryAuth\":\"x\",\"network\":\"n\"}",
         "{\"service\":\"f\",\"image\":\"i\",\"namespace\":\"ns\",\"envProcess\":\"cat\","
         "\"envVars\":{\"E\":\"\"},\"constraints\":[\"k=v\"],\"secrets\":[\"s\"],"
         "\"labels\":{\"z\":\"1\",\"a\":\"2\"},\"annotations\":{\"b\":\"2\"},"
         "\"limits\":{\"memory\":\"1Gi\",\"cpu\":\"1\"},"
         "\"requests\":{\"cpu\":\"100m\",\"nvidia.com/"
         "gpu\":\"1\"},\"readOnlyRootFilesystem\":true}"},
        {"{\"SERVICE\":\"f\",\"image\":\"\",\"namespace\":\"\",\"envVars\":{},\"labels\":null,"
         "\"annotations\":null,\"limits\":{},\"requests\":null,\"secrets\":[],\"constraints\":"
         "null}",
         "{\"service\":\"f\",\"image\":\"\",\"labels\":{},\"annotations\":{}}"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_function_spec_deinit) struct faas_function_spec s = {0}, copy = {0};

        read_spec(&s, cases[i].in);
        assert_spec_writes(&s, cases[i].out);
        faas_function_spec_copy(&copy, &s);
        assert_spec_writes(&copy, cases[i].out);
        faas_function_spec_copy(&copy, &copy);
        assert_spec_writes(&copy, cases[i].out);
    }
}

static void a_wrong_type_in_a_spec_names_the_key(void **state)
{
    static const struct {
        const char *in, *msg;
    } cases[] = {
        {"[]", "function: must be an object, not a list"},
        {"{\"service\":1}", "service: must be a string, not a number"},
        {"{\"envVars\":[]}", "envVars: must be an object of strings, not a list"},
        {"{\"labels\":{\"a\":1}}", "labels.a: must be a string, not a number"},
        {"{\"secrets\":\"s\"}", "secrets: must be a list of strings, not a string"},
        {"{\"limits\":\"1\"}", "limits: must be an object, not a string"},
        {"{\"limits\":{\"memory\":128}}", "limits: memory: must be a string, not a number"},
        {"{\"requests\":{\"amd.com/gpu\":1}}",
         "requests: amd.com/gpu: must be a string, not a number"},
        {"{\"readOnlyRootFilesystem\":\"yes\"}",
         "readOnlyRootFilesystem: must be true or false, not a string"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_function_spec_deinit) struct faas_function_spec s = {0};
        _cleanup_json_ json_t *j = parse(cases[i].in);
        struct faas_error err = {0};

        assert_int_equal(faas_function_spec_from_json(&s, j, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void validation_names_the_field_and_what_it_had_to_be(void **state)
{
    static const struct {
        const char *in;
        const char *part; /* of the message; NULL: valid */
    } cases[] = {
        {"\"service\":\"a\"", NULL},
        {"\"service\":\"a-b-0\",\"namespace\":\"ns\",\"envVars\":{\"exec_timeout\":\"10\","
         "\"read_timeout\":\"1m30s\",\"write_timeout\":\"\",\"A.b-c\":\"=\"},\"secrets\":[\"a.b-"
         "c\"],"
         "\"limits\":{\"memory\":\"128Mi\",\"cpu\":\"0.5\"},\"requests\":{\"memory\":\"0\","
         "\"cpu\":\"500m\",\"nvidia.com/gpu\":\"1\"},\"labels\":{\"com.openfaas.scale.min\":\"2\","
         "\"com.openfaas.scale.max\":\"2\"}",
         NULL},
        {"\"service\":null", "service: is required"},
        {"\"service\":\"Hello\"", "service: \"Hello\" is not a name"},
        {"\"service\":\"-a\"", "service: \"-a\" is not a name"},
        {"\"service\":\"a-\"", "service: \"a-\" is not a name"},
        {"\"service\":\"a.b\"", "service: \"a.b\" is not a name"},
        {"\"service\":\"../a\"", "service: \"../a\" is not a name"},
        {"\"service\":\"a_b\"", "up to 63 of a-z, 0-9 and '-'"},
        {"\"service\":\"a\",\"image\":\"\"", NULL}, /* "" leaves the default image of this test */
        {"\"service\":\"a\",\"image\":\"a b\"", "image: \"a b\" has a blank"},
        {"\"service\":\"a\",\"image\":\"a\\nb\"", "image: "},
        {"\"service\":\"a\",\"namespace\":\"A\"", "namespace: \"A\" is not a name"},
        {"\"service\":\"a\",\"envVars\":{\"\":\"v\"}", "envVars: a name is empty"},
        {"\"service\":\"a\",\"envVars\":{\"a=b\":\"v\"}", "envVars: the name \"a=b\" holds a '='"},
        {"\"service\":\"a\",\"envVars\":{\"exec_timeout\":\"ten\"}",
         "envVars.exec_timeout: \"ten\" is neither"},
        {"\"service\":\"a\",\"envVars\":{\"read_timeout\":\"1.5\"}",
         "envVars.read_timeout: \"1.5\" is neither"},
        {"\"service\":\"a\",\"envVars\":{\"write_timeout\":\"-5s\"}",
         "envVars.write_timeout: \"-5s\""},
        {"\"service\":\"a\",\"secrets\":[\"\"]", "secrets: secret \"\": the name must be"},
        {"\"service\":\"a\",\"secrets\":[\"../x\"]", "secrets: secret \"../x\""},
        {"\"service\":\"a\",\"labels\":{\"\":\"v\"}", "labels: a name is empty"},
        {"\"service\":\"a\",\"annotations\":{\"\":\"v\"}", "annotations: a name is empty"},
        {"\"service\":\"a\",\"limits\":{\"memory\":\"12Q\"}",
         "limits.memory: \"12Q\" is not a quantity such as 128Mi"},
        {"\"service\":\"a\",\"limits\":{\"memory\":\"-1\"}", "limits.memory: \"-1\""},
        {"\"service\":\"a\",\"limits\":{\"memory\":\"0\"}", "limits.memory: \"0\" is too little"},
        {"\"service\":\"a\",\"limits\":{\"memory\":\"128m\"}",
         "limits.memory: \"128m\" is less than one byte"},
        {"\"service\":\"a\",\"limits\":{\"cpu\":\"0\"}", "limits.cpu: \"0\" is too little"},
        {"\"service\":\"a\",\"requests\":{\"cpu\":\"lots\"}", "requests.cpu: \"lots\" is not"},
        {"\"service\":\"a\",\"requests\":{\"nvidia.com/gpu\":\"x\"}",
         "requests.nvidia.com/gpu: \"x\""},
        {"\"service\":\"a\",\"requests\":{\"memory\":\"2Gi\"},\"limits\":{\"memory\":\"1Gi\"}",
         "requests.memory: 2Gi is more than limits.memory, 1Gi"},
        {"\"service\":\"a\",\"requests\":{\"cpu\":\"2\"},\"limits\":{\"cpu\":\"1999m\"}",
         "requests.cpu: 2 is more than limits.cpu, 1999m"},
        {"\"service\":\"a\",\"labels\":{\"com.openfaas.scale.min\":\"x\"}",
         "label com.openfaas.scale.min: \"x\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_function_spec_deinit) struct faas_function_spec s = {.image =
                                                                                faas_strdup("i")};
        _cleanup_free_ char *text = faas_asprintf("{%s}", cases[i].in);
        struct faas_error err = {0};
        int rc;

        read_spec(&s, text);
        rc = faas_function_spec_validate(&s, &err);
        if (!cases[i].part && rc == 0)
            continue;
        if (!cases[i].part || rc == 0 || err.code != FAAS_ERR_INVALID ||
            !strstr(err.msg, cases[i].part))
            fail_msg("%s: %d \"%s\"", text, rc, err.msg);
    }
}

static void an_image_is_required_and_has_a_bounded_length(void **state)
{
    _cleanup_(faas_function_spec_deinit) struct faas_function_spec s = {.service =
                                                                            faas_strdup("f")};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_function_spec_validate(&s, &err), -1);
    assert_string_equal(err.msg, "image: is required");
    s.image = faas_zalloc(2000);
    memset(s.image, 'a', 1025);
    assert_int_equal(faas_function_spec_validate(&s, &err), -1);
    assert_string_equal(err.msg, "image: longer than 1024 characters");
}

static void names_have_their_lengths(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'a', sizeof(name));
    assert_int_equal(faas_validate_name("n", (struct faas_str){name, 63}, NULL), 0);
    assert_int_equal(faas_validate_name("n", (struct faas_str){name, 64}, NULL), -1);
    assert_int_equal(faas_validate_name("n", (struct faas_str){name, 0}, NULL), -1);
    for (size_t i = 50; i < sizeof(name); i += 50)
        name[i] = '.';
    assert_int_equal(faas_validate_secret_name((struct faas_str){name, 253}, NULL), 0);
    assert_int_equal(faas_validate_secret_name((struct faas_str){name, 254}, NULL), -1);
}

static void secret_names_lead_nowhere(void **state)
{
    static const char *const bad[] = {"",  ".",   "..",  "a/b", "/a",   "a..b", ".a",  "a.",
                                      "A", "a_b", "a b", "-a",  "a.-b", "a\nb", "a\\b"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        if (faas_validate_secret_name(faas_str_from(bad[i]), NULL) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_int_equal(faas_validate_secret_name((struct faas_str){"a\0b", 3}, NULL), -1);
    assert_int_equal(faas_validate_secret_name((struct faas_str){0}, NULL), -1);
    assert_int_equal(faas_validate_secret_name(FAAS_STR("a.b-c.d0"), NULL), 0);
}

static void scaling_labels_have_defaults_and_limits(void **state)
{
    static const struct {
        const char *min, *max, *zero, *duration;
        struct faas_scaling want;
        const char *msg;
    } cases[] = {
        {.want = {1, 20, false, 900000}},
        {"0", "5", "true", "1h", {0, 5, true, 3600000}, NULL},
        {"30", NULL, "false", "30", {30, 30, false, 30000}, NULL},
        {"2", "2", "1", "1ms", {2, 2, true, 1}, NULL},
        {.min = "two", .msg = "label com.openfaas.scale.min: \"two\" is not a number from 0"},
        {.min = "-1", .msg = "label com.openfaas.scale.min: \"-1\""},
        {.min = "", .msg = "label com.openfaas.scale.min: \"\""},
        {.max = "0", .msg = "label com.openfaas.scale.max: \"0\" is not a number from 1 to 10000"},
        {.max = "10001", .msg = "label com.openfaas.scale.max: \"10001\""},
        {.min = "3",
         .max = "2",
         .msg = "label com.openfaas.scale.min: 3 is more than com.openfaas.scale.max, 2"},
        {.zero = "yes", .msg = "label com.openfaas.scale.zero: \"yes\""},
        {.duration = "soon", .msg = "label com.openfaas.scale.zero-duration: \"soon\""},
        {.duration = "0", .msg = "label com.openfaas.scale.zero-duration: must be more than 0"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_map_ struct faas_map labels = {0};
        struct faas_scaling got;
        struct faas_error err = {0};
        int rc;

        if (cases[i].min)
            faas_map_set(&labels, "com.openfaas.scale.min", cases[i].min);
        if (cases[i].max)
            faas_map_set(&labels, "com.openfaas.scale.max", cases[i].max);
        if (cases[i].zero)
            faas_map_set(&labels, "com.openfaas.scale.zero", cases[i].zero);
        if (cases[i].duration)
            faas_map_set(&labels, "com.openfaas.scale.zero-duration", cases[i].duration);
        rc = faas_scaling_from_labels(&labels, &got, &err);
        if (cases[i].msg) {
            assert_int_equal(rc, -1);
            if (err.code != FAAS_ERR_INVALID || !strstr(err.msg, cases[i].msg))
                fail_msg("case %zu: %s", i, err.msg);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(got.min, cases[i].want.min);
        assert_int_equal(got.max, cases[i].want.max);
        assert_int_equal(got.zero, cases[i].want.zero);
        assert_int_equal(got.zero_ms, cases[i].want.zero_ms);
    }
}

static void assert_status_writes(const struct faas_function_status *s, const char *want)
{
    _cleanup_json_ json_t *j = faas_function_status_to_json(s);
    _cleanup_buf_ struct faas_buf out = {0};

    faas_json_write(&out, j, 0);
    assert_string_equal(out.data, want);
}

static void a_status_says_nothing_about_what_is_empty_but_labels(void **state)
{
    _cleanup_(faas_function_status_deinit) struct faas_function_status s = {
        .spec = {.service = faas_strdup("f"), .image = faas_strdup("i")},
        .cpu_milli = -1,
    };

    (void)state;
    assert_status_writes(&s, "{\"name\":\"f\",\"image\":\"i\",\"labels\":{},\"annotations\":{},"
                             "\"createdAt\":\"0001-01-01T00:00:00Z\"}");
}

static const char full_status[] =
    "{\"name\":\"f\",\"image\":\"i\",\"namespace\":\"ns\",\"labels\":{\"l\":\"1\"},"
    "\"annotations\":{},\"invocationCount\":12,\"replicas\":2,\"availableReplicas\":1,"
    "\"createdAt\":\"2026-01-02T03:04:05Z\",\"usage\":{\"cpu\":12.5,\"totalMemoryBytes\":1048576},"
    "\"digest\":\"sha256:ab\",\"reason\":\"starting\"}";

static void a_full_status_survives_a_round_trip(void **state)
{
    _cleanup_(faas_function_status_deinit) struct faas_function_status s = {0};
    _cleanup_json_ json_t *j = parse(full_status);
    struct faas_error err = {0};

    (void)state;
    if (faas_function_status_from_json(&s, j, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(s.spec.service, "f");
    assert_int_equal(s.replicas, 2);
    assert_int_equal(s.available_replicas, 1);
    assert_true(s.invocation_count == 12);
    assert_true(s.created_ns == 1767323045000000000);
    assert_true(s.cpu_milli == 12.5);
    assert_true(s.memory_bytes == 1048576);
    assert_status_writes(&s, full_status);
}

static void a_status_of_another_gateway_is_read_with_its_gaps(void **state)
{
    _cleanup_(faas_function_status_deinit) struct faas_function_status s = {0};
    _cleanup_json_ json_t *j =
        parse("{\"name\":\"f\",\"image\":\"i\",\"createdAt\":\"0001-01-01T00:00:00Z\",\"new\":[]}");

    (void)state;
    assert_int_equal(faas_function_status_from_json(&s, j, NULL), 0);
    assert_int_equal(s.replicas, 0);
    assert_int_equal(s.created_ns, 0);
    assert_true(s.cpu_milli < 0);
}

static void a_bad_status_is_refused(void **state)
{
    static const struct {
        const char *in, *msg;
    } cases[] = {
        {"{\"replicas\":-1}", "replicas: must be a whole number of 0 or more"},
        {"{\"availableReplicas\":\"1\"}",
         "availableReplicas: must be a whole number, not a string"},
        {"{\"createdAt\":\"yesterday\"}", "createdAt: \"yesterday\" is not an RFC 3339 time"},
        {"{\"createdAt\":5}", "createdAt: must be a string, not a number"},
        {"{\"usage\":1}", "usage: must be an object, not a number"},
        {"{\"usage\":{\"cpu\":\"1\"}}", "usage: cpu: must be a number, not a string"},
        {"{\"invocationCount\":\"1\"}", "invocationCount: must be a number, not a string"},
        {"{\"name\":[]}", "name: must be a string, not a list"},
        {"7", "function: must be an object, not a number"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_function_status_deinit) struct faas_function_status s = {0};
        _cleanup_json_ json_t *j = parse(cases[i].in);
        struct faas_error err = {0};

        assert_int_equal(faas_function_status_from_json(&s, j, &err), -1);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void numbers_that_json_cannot_say_do_not_break_a_status(void **state)
{
    _cleanup_(faas_function_status_deinit) struct faas_function_status s = {
        .cpu_milli = NAN, .memory_bytes = INFINITY, .replicas = UINT64_MAX};
    _cleanup_json_ json_t *j = faas_function_status_to_json(&s);
    _cleanup_buf_ struct faas_buf out = {0};
    _cleanup_json_ json_t *back = NULL;

    (void)state;
    faas_json_write(&out, j, 2);
    back = faas_json_parse(faas_buf_str(&out), NULL);
    assert_non_null(back);
}

static void a_list_grows_and_owns_its_items(void **state)
{
    struct faas_status_list l = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct faas_function_status *s = faas_status_list_add(&l);

        assert_null(s->spec.service);
        s->spec.service = faas_asprintf("f%d", i);
    }
    assert_int_equal(l.len, 100);
    assert_string_equal(l.items[0].spec.service, "f0");
    assert_string_equal(l.items[99].spec.service, "f99");
    faas_status_list_deinit(&l);
    assert_int_equal(l.len, 0);
}

static void a_secret_takes_the_raw_value_before_the_plain_one(void **state)
{
    static const struct {
        const char *in, *value;
        size_t len;
    } cases[] = {
        {"{\"name\":\"s\",\"value\":\" v\\n\"}", " v\n", 3},
        {"{\"name\":\"s\",\"rawValue\":\"AGEA\"}", "\0a\0", 3},
        {"{\"name\":\"s\",\"rawValue\":\"cmF3\",\"value\":\"plain\"}", "raw", 3},
        {"{\"name\":\"s\",\"rawValue\":\"\",\"value\":\"plain\"}", "plain", 5},
        {"{\"name\":\"s\",\"namespace\":\"ns\"}", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_secret_deinit) struct faas_secret s = {0};
        _cleanup_json_ json_t *j = parse(cases[i].in);

        assert_int_equal(faas_secret_from_json(&s, j, NULL), 0);
        assert_string_equal(s.name, "s");
        assert_int_equal(s.value.len, cases[i].len);
        assert_memory_equal(faas_buf_str(&s.value).ptr, cases[i].value, cases[i].len);
    }
}

static void a_bad_secret_is_refused_without_quoting_it(void **state)
{
    static const struct {
        const char *in, *msg;
    } cases[] = {
        {"{\"value\":\"hush\"}", "name: is required"},
        {"{\"name\":\"\"}", "name: is required"},
        {"{\"name\":\"s\",\"rawValue\":\"hush!\"}", "rawValue: not base64"},
        {"{\"name\":\"s\",\"rawValue\":\"hush!hus\"}", "rawValue: not base64"},
        {"{\"name\":\"s\",\"value\":[\"hush\"]}", "value: must be a string, not a list"},
        {"[\"hush\"]", "secret: must be an object, not a list"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_secret_deinit) struct faas_secret s = {0};
        _cleanup_json_ json_t *j = parse(cases[i].in);
        struct faas_error err = {0};

        assert_int_equal(faas_secret_from_json(&s, j, &err), -1);
        if (!strstr(err.msg, cases[i].msg) || strstr(err.msg, "hush"))
            fail_msg("%s", err.msg);
    }
}

static void a_log_message_is_one_line_with_all_five_keys(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    faas_log_message_write(&out, &(struct faas_log_message){
                                     .name = "f",
                                     .namespace_ = "ns",
                                     .time_ns = 1767323045500000000,
                                     .text = FAAS_STR("two\nlines \xff"),
                                 });
    assert_string_equal(out.data, "{\"name\":\"f\",\"namespace\":\"ns\",\"instance\":\"\","
                                  "\"timestamp\":\"2026-01-02T03:04:05.5Z\","
                                  "\"text\":\"two\\nlines \\ufffd\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_is_written_as_faas_cli_writes_it),
        cmocka_unit_test(a_wrong_type_in_a_spec_names_the_key),
        cmocka_unit_test(validation_names_the_field_and_what_it_had_to_be),
        cmocka_unit_test(an_image_is_required_and_has_a_bounded_length),
        cmocka_unit_test(names_have_their_lengths),
        cmocka_unit_test(secret_names_lead_nowhere),
        cmocka_unit_test(scaling_labels_have_defaults_and_limits),
        cmocka_unit_test(a_status_says_nothing_about_what_is_empty_but_labels),
        cmocka_unit_test(a_full_status_survives_a_round_trip),
        cmocka_unit_test(a_status_of_another_gateway_is_read_with_its_gaps),
        cmocka_unit_test(a_bad_status_is_refused),
        cmocka_unit_test(numbers_that_json_cannot_say_do_not_break_a_status),
        cmocka_unit_test(a_list_grows_and_owns_its_items),
        cmocka_unit_test(a_secret_takes_the_raw_value_before_the_plain_one),
        cmocka_unit_test(a_bad_secret_is_refused_without_quoting_it),
        cmocka_unit_test(a_log_message_is_one_line_with_all_five_keys),
    };
    return cmocka_run_group_tests_name("api_types", tests, NULL, NULL);
}
