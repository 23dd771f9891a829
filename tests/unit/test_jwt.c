#include "libfaas/alloc.h"
#include "libfaas/jwt.h"
#include "tests/unit/jwt_vectors.h"
#include "tests/unit/unit.h"

#include <string.h>

static int read_keys(void **state)
{
    *state = faas_jwk_set_parse(faas_str_from(jwt_jwks), NULL, NULL);
    return *state ? 0 : -1;
}

static int free_keys(void **state)
{
    faas_jwk_set_free(*state);
    return 0;
}

static struct faas_jwt_policy policy_of(void **state)
{
    return (struct faas_jwt_policy){
        .keys = *state,
        .issuer = JWT_ISSUER,
        .subject = JWT_SUBJECT,
        .now_ns = INT64_C(1000000000) * JWT_NOW_S,
    };
}

static void every_vector_gets_its_verdict(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);

    for (size_t i = 0; i < FAAS_ARRAY_LEN(jwt_vectors); i++) {
        const struct jwt_vector *v = &jwt_vectors[i];
        struct faas_error err = {0};
        double expires_s = 0;
        enum faas_jwt_verdict verdict =
            faas_jwt_check(faas_str_from(v->token), &policy, &expires_s, &err);

        if (verdict != v->verdict || !strstr(err.msg, v->message))
            fail_msg("%s: verdict %d, \"%s\"", v->name, verdict, err.msg);
        if (verdict == FAAS_JWT_OK && expires_s < JWT_NOW_S - FAAS_JWT_LEEWAY_S)
            fail_msg("%s: expires at %f", v->name, expires_s);
    }
}

/* Of what the client sent only the kid comes back. */
static void no_message_tells_of_the_token(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);

    for (size_t i = 0; i < FAAS_ARRAY_LEN(jwt_vectors); i++) {
        struct faas_str rest = faas_str_from(jwt_vectors[i].token);
        struct faas_error err = {0};
        double expires_s;

        faas_jwt_check(rest, &policy, &expires_s, &err);
        while (rest.ptr) {
            struct faas_str part = faas_str_split(&rest, '.');

            if (part.len >= 8)
                assert_null(memmem(err.msg, strlen(err.msg), part.ptr, 8));
        }
        assert_null(strstr(err.msg, "someone"));
        assert_null(strchr(err.msg, '\n'));
    }
}

static void only_the_kid_of_a_printable_size_is_named(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);

    for (size_t i = 0; i < FAAS_ARRAY_LEN(jwt_vectors); i++) {
        struct faas_error err = {0};
        double expires_s;

        if (!strstr(jwt_vectors[i].name, "line break") && !strstr(jwt_vectors[i].name, "long kid"))
            continue;
        faas_jwt_check(faas_str_from(jwt_vectors[i].token), &policy, &expires_s, &err);
        assert_true(faas_str_ends(faas_str_from(err.msg), FAAS_STR("invalid kid")));
    }
}

static void a_bit_that_is_flipped_anywhere_is_noticed(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);
    const char *good[] = {jwt_vectors[0].token, jwt_vectors[3].token, jwt_vectors[6].token};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(good); i++) {
        _cleanup_free_ char *token = faas_strdup(good[i]);

        for (size_t at = 0; at < strlen(token); at += 7) {
            struct faas_error err = {0};
            double expires_s;

            token[at] ^= 1;
            assert_int_not_equal(faas_jwt_check(faas_str_from(token), &policy, &expires_s, &err),
                                 FAAS_JWT_OK);
            assert_string_not_equal(err.msg, "");
            token[at] ^= 1;
        }
        assert_int_equal(faas_jwt_check(faas_str_from(token), &policy, &(double){0}, NULL),
                         FAAS_JWT_OK);
    }
}

static void a_huge_token_is_refused_unread(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);
    _cleanup_buf_ struct faas_buf token = {0};
    struct faas_error err = {0};
    double expires_s;

    while (token.len <= FAAS_JWT_MAX)
        faas_buf_append_z(&token, jwt_vectors[0].token);
    assert_int_equal(faas_jwt_check(faas_buf_str(&token), &policy, &expires_s, &err),
                     FAAS_JWT_REFUSED);
    assert_non_null(strstr(err.msg, "longer than"));
}

static void a_token_of_any_bytes_is_refused(void **state)
{
    const struct faas_jwt_policy policy = policy_of(state);
    char bytes[256];
    double expires_s;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        struct faas_str token = {.ptr = bytes + i, .len = sizeof(bytes) - i};

        assert_int_equal(faas_jwt_check(token, &policy, &expires_s, NULL), FAAS_JWT_REFUSED);
    }
}

static void a_token_outlives_its_time_by_the_leeway_only(void **state)
{
    (void)state;
    assert_false(faas_jwt_has_expired(100, INT64_C(100999999999)));
    assert_true(faas_jwt_has_expired(100, INT64_C(101000000000)));
    assert_true(faas_jwt_has_expired(-5, 0));
}

static void patterns_match_the_whole_text(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"*", "", true},
        {"*", "dev:env", true},
        {"**", "dev:env", true},
        {"dev:env", "dev:env", true},
        {"dev:env", "xdev:env", false},
        {"dev:env", "dev:env-2", false},
        {"dev:env", "xdev:env-2", false},
        {"dev:*", "dev:", true},
        {"dev:*", "dev:env", true},
        {"dev:*", "xdev:env", false},
        {"*:env", "dev:env", true},
        {"*:env", "dev:env2", false},
        {"*:e*v", "dev:env", true},
        {"*ab", "aab", true},
        {"*aab", "aaab", true},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-b-b-d", false},
        {"", "", true},
        {"", "x", false},
        {"x", "", false},
        {"d?v:env", "dev:env", false},
        {"[d]ev:env", "dev:env", false},
        {"Dev:env", "dev:env", false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        if (faas_pattern_match(cases[i].pattern, cases[i].text) != cases[i].match)
            fail_msg("\"%s\" on \"%s\"", cases[i].pattern, cases[i].text);
}

static void a_nasty_pattern_takes_no_time(void **state)
{
    char pattern[2000], text[2000];

    (void)state;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = i % 2 ? 'a' : '*';
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 2] = 'b';
    pattern[sizeof(pattern) - 1] = text[sizeof(text) - 1] = '\0';
    assert_true(faas_pattern_match(pattern, text));
    pattern[sizeof(pattern) - 2] = 'c';
    assert_false(faas_pattern_match(pattern, text));
}

static void good_keys_are_all_kept(void **state)
{
    _cleanup_strv_ struct faas_strv skipped = {0};
    _cleanup_jwk_set_ struct faas_jwk_set *set =
        faas_jwk_set_parse(faas_str_from(jwt_jwks), &skipped, NULL);

    (void)state;
    assert_int_equal(skipped.len, 0);
    assert_int_equal(faas_jwk_set_len(set), JWT_GOOD_KEYS);
    assert_true(faas_jwk_set_has(set, FAAS_STR("ec256")));
    assert_false(faas_jwk_set_has(set, FAAS_STR("ec25")));
}

static void bad_keys_are_left_out_with_the_reason(void **state)
{
    _cleanup_strv_ struct faas_strv skipped = {0};
    _cleanup_jwk_set_ struct faas_jwk_set *set =
        faas_jwk_set_parse(faas_str_from(jwt_bad_jwks), &skipped, NULL);

    (void)state;
    assert_non_null(set);
    assert_int_equal(faas_jwk_set_len(set), 0);
    assert_int_equal(skipped.len, FAAS_ARRAY_LEN(jwt_bad_reasons));
    for (size_t i = 0; i < skipped.len; i++)
        if (!strstr(skipped.items[i], jwt_bad_reasons[i]))
            fail_msg("\"%s\" instead of \"%s\"", skipped.items[i], jwt_bad_reasons[i]);
}

static void no_line_about_a_key_breaks_the_log(void **state)
{
    _cleanup_strv_ struct faas_strv skipped = {0};
    _cleanup_jwk_set_ struct faas_jwk_set *set =
        faas_jwk_set_parse(FAAS_STR("{\"keys\":[{\"kid\":\"a\\nb\\u001b[31m\"}]}"), &skipped, NULL);

    (void)state;
    assert_int_equal(faas_jwk_set_len(set), 0);
    assert_int_equal(skipped.len, 1);
    assert_string_equal(skipped.items[0], "key 0 (a?b?[31m): \"kty\" is neither RSA nor EC");
}

static void what_is_no_key_set_is_an_error(void **state)
{
    static const char *const texts[] = {
        "", "x", "[]", "null", "{}", "{\"keys\":1}", "{\"keys\":{}}", "{\"Keys\":[]}"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(texts); i++) {
        struct faas_error err = {0};

        assert_null(faas_jwk_set_parse(faas_str_from(texts[i]), NULL, &err));
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
}

static void keys_beyond_the_limit_are_left_out(void **state)
{
    _cleanup_strv_ struct faas_strv skipped = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_jwk_set_ struct faas_jwk_set *set = NULL;
    _cleanup_json_ json_t *doc = faas_json_parse(faas_str_from(jwt_jwks), NULL);
    json_t *list = json_object_get(doc, "keys");

    (void)state;
    for (int i = 0; i < FAAS_JWKS_MAX_KEYS; i++)
        json_array_append(list, json_array_get(list, 0));
    faas_json_write(&text, doc, 0);
    set = faas_jwk_set_parse(faas_buf_str(&text), &skipped, NULL);
    assert_int_equal(faas_jwk_set_len(set), FAAS_JWKS_MAX_KEYS);
    assert_int_equal(skipped.len, 1);
}

static void a_set_without_keys_knows_no_key(void **state)
{
    _cleanup_jwk_set_ struct faas_jwk_set *set =
        faas_jwk_set_parse(FAAS_STR("{\"keys\":[]}"), NULL, NULL);
    struct faas_jwt_policy policy = policy_of(state);
    double expires_s;

    policy.keys = set;
    assert_int_equal(faas_jwt_check(faas_str_from(jwt_vectors[0].token), &policy, &expires_s, NULL),
                     FAAS_JWT_UNKNOWN_KEY);
}

static void a_fingerprint_is_the_sha256(void **state)
{
    static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
    unsigned char out[FAAS_FINGERPRINT_LEN];

    (void)state;
    faas_jwt_fingerprint(FAAS_STR("abc"), out);
    assert_memory_equal(out, abc, sizeof(abc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gets_its_verdict),
        cmocka_unit_test(no_message_tells_of_the_token),
        cmocka_unit_test(only_the_kid_of_a_printable_size_is_named),
        cmocka_unit_test(a_bit_that_is_flipped_anywhere_is_noticed),
        cmocka_unit_test(a_huge_token_is_refused_unread),
        cmocka_unit_test(a_token_of_any_bytes_is_refused),
        cmocka_unit_test(a_token_outlives_its_time_by_the_leeway_only),
        cmocka_unit_test(patterns_match_the_whole_text),
        cmocka_unit_test(a_nasty_pattern_takes_no_time),
        cmocka_unit_test(good_keys_are_all_kept),
        cmocka_unit_test(bad_keys_are_left_out_with_the_reason),
        cmocka_unit_test(no_line_about_a_key_breaks_the_log),
        cmocka_unit_test(what_is_no_key_set_is_an_error),
        cmocka_unit_test(keys_beyond_the_limit_are_left_out),
        cmocka_unit_test(a_set_without_keys_knows_no_key),
        cmocka_unit_test(a_fingerprint_is_the_sha256),
    };
    return cmocka_run_group_tests_name("jwt", tests, read_keys, free_keys);
}
