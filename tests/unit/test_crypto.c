#include "libfaas/crypto.h"
#include "tests/unit/unit.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <stdio.h>

static void digests_match_the_published_vectors(void **state)
{
    char hex[65];

    (void)state;
    faas_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    faas_sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    faas_sha1_hex("abc", 3, hex);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    faas_md5_hex("abc", 3, hex);
    assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72");
    faas_hmac_sha256_hex(FAAS_STR("k"), FAAS_STR("{}"), hex);
    assert_string_equal(hex, "add853b103fbcc936a194f9eb15e29c4ff08af6e47d5d1bca4f20218e31e4fff");
    faas_hmac_sha256_hex(FAAS_STR("Jefe"), FAAS_STR("what do ya want for nothing?"), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    faas_hmac_sha256_hex((struct faas_str){0}, (struct faas_str){0}, hex);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void a_file_is_digested_from_where_it_stands(void **state)
{
    FILE *f = tmpfile();
    size_t n = 200000;
    _cleanup_free_ char *data = faas_zalloc(n);
    char want[65], got[65];
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(fwrite("skip", 1, 4, f), 4);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fflush(f);
    assert_int_equal(lseek(fileno(f), 4, SEEK_SET), 4);
    assert_int_equal(faas_sha256_fd(fileno(f), got, &err), 0);
    faas_sha256_hex(data, n, want);
    assert_string_equal(got, want);
    fclose(f);
    assert_int_equal(faas_sha256_fd(-1, got, &err), -1);
}

static void equality_needs_every_byte(void **state)
{
    (void)state;
    assert_true(faas_equal_constant_time(FAAS_STR("secret"), FAAS_STR("secret")));
    assert_false(faas_equal_constant_time(FAAS_STR("secret"), FAAS_STR("secreT")));
    assert_false(faas_equal_constant_time(FAAS_STR("secret"), FAAS_STR("Secret")));
    assert_false(faas_equal_constant_time(FAAS_STR("secret"), FAAS_STR("secre")));
    assert_true(faas_equal_constant_time((struct faas_str){0}, FAAS_STR("")));
}

static void passwords_use_all_letters_and_never_repeat(void **state)
{
    bool seen[256] = {0};
    char a[63 + 1], b[63 + 1], big[10000 + 1];
    int distinct = 0;

    (void)state;
    faas_random_password(a, 63);
    faas_random_password(b, 63);
    assert_int_equal(strlen(a), 63);
    assert_string_not_equal(a, b);
    faas_random_password(big, 10000);
    for (const char *c = big; *c; c++) {
        distinct += !seen[(unsigned char)*c];
        seen[(unsigned char)*c] = true;
    }
    assert_int_equal(distinct, 62);
    faas_random_password(a, 0);
    assert_string_equal(a, "");
}

static void assert_uuid4(const char *id)
{
    assert_int_equal(strlen(id), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(id[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", id[i]));
    }
    assert_int_equal(id[14], '4');
    assert_non_null(strchr("89ab", id[19]));
}

static void *last_of_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        faas_uuid(arg);
    return NULL;
}

static void uuids_are_version_4_and_differ_between_threads(void **state)
{
    char ids[1000][37], other[37];
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, last_of_many, other), 0);
    for (int i = 0; i < 1000; i++) {
        faas_uuid(ids[i]);
        assert_uuid4(ids[i]);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
    pthread_join(t, NULL);
    assert_uuid4(other);
    for (int i = 0; i < 1000; i++)
        assert_string_not_equal(ids[i], other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_the_published_vectors),
        cmocka_unit_test(a_file_is_digested_from_where_it_stands),
        cmocka_unit_test(equality_needs_every_byte),
        cmocka_unit_test(passwords_use_all_letters_and_never_repeat),
        cmocka_unit_test(uuids_are_version_4_and_differ_between_threads),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
