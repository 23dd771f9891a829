#include "providers/local/images.h"
#include "providers/local/trash.h"
#include "tests/unit/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct faas_tar_limits roomy = {.max_bytes = 1 << 20, .max_entries = 100};

/* A state directory with a store, and a folder to make bundles from. */
static int setup(void **state)
{
    struct faas_error err = {0};

    return tmpdir_setup(state) < 0 || local_trash_init(*state, &err) < 0 ||
                   local_images_init(*state, &err) < 0
               ? -1
               : 0;
}

static char *in(const char *dir, const char *rest)
{
    return faas_asprintf("%s/%s", dir, rest);
}

static bool has(const char *dir, const char *rest)
{
    _cleanup_free_ char *path = in(dir, rest);

    return faas_file_exists(path);
}

static size_t entries(const char *dir, const char *rest)
{
    _cleanup_free_ char *command = faas_asprintf("ls -A %s/%s | wc -l", dir, rest);
    FILE *p = popen(command, "r");
    size_t n = 9999;

    assert_int_equal(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

static void write_to(const char *dir, const char *rest, const char *text, mode_t mode)
{
    _cleanup_free_ char *path = in(dir, rest);
    struct faas_error err = {0};

    assert_int_equal(faas_file_replace(path, faas_str_from(text), mode, &err), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* The tar of a bundle with this manifest (NULL: none) and some files of odd modes. */
static int bundle(const char *dir, const char *manifest)
{
    _cleanup_free_ char *src = in(dir, "src");
    _cleanup_free_ char *sub = in(dir, "src/sub");
    _cleanup_free_ char *link = in(dir, "src/link");
    _cleanup_free_ char *path = in(dir, "bundle.tar");
    struct faas_error err = {0};
    int fd;

    assert_int_equal(faas_remove_tree(src, &err), 0);
    assert_int_equal(mkdir(src, 0700), 0);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("sub/data", link), 0);
    write_to(dir, "src/handler", "#!/bin/sh\n", 0700);
    write_to(dir, "src/sub/data", "data", 0600);
    if (manifest)
        write_to(dir, "src/bundle.json", manifest, 0600);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    if (faas_tar_create(src, fd, &err) < 0)
        fail_msg("%s", err.msg);
    return fd;
}

static void put(const char *dir, const char *name, const char *manifest, struct faas_image *image)
{
    _cleanup_close_ int fd = bundle(dir, manifest);
    _cleanup_free_ char *tmp = NULL;
    struct faas_error err = {0};

    *image = (struct faas_image){.name = faas_strdup(name), .created_ns = 1700000000000000000};
    assert_int_equal(local_image_digest(fd, &image->digest, &image->bytes, &err), 0);
    if (!local_image_has_blob(dir, image->digest)) {
        if (local_image_unpack(dir, fd, &roomy, &tmp, &err) < 0)
            fail_msg("%s", err.msg);
        assert_int_equal(local_image_install(dir, image->digest, tmp, &err), 0);
    }
    assert_int_equal(local_image_set_ref(dir, image, &err), 0);
}

#define CAT "{\"version\":1,\"fprocess\":\"cat\"}"
#define ENV "{\"version\":1,\"fprocess\":\"env\"}"

static void a_name_without_a_tag_means_latest(void **state)
{
    static const struct {
        const char *given, *full;
    } cases[] = {
        {"hello", "hello:latest"},
        {"hello:1", "hello:1"},
        {"ghcr.io/me/hello", "ghcr.io/me/hello:latest"},
        {"localhost:5000/hello", "localhost:5000/hello:latest"},
        {"localhost:5000/hello:2", "localhost:5000/hello:2"},
        {"hello@sha256:abc", "hello@sha256:abc"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *full = local_image_full_name(cases[i].given);

        assert_string_equal(full, cases[i].full);
    }
}

static void a_stored_bundle_is_readable_to_all_and_writable_to_none(void **state)
{
    static const struct {
        const char *rest;
        mode_t mode;
    } want[] = {
        {"", 040755},           {"/handler", 0100755},     {"/sub", 040755},
        {"/sub/data", 0100644}, {"/bundle.json", 0100644},
    };
    const char *dir = *state;
    struct faas_image image = {0}, found = {0};
    _cleanup_free_ char *blob = NULL;
    struct faas_error err = {0};

    put(dir, "ghcr.io/me/hello:1", CAT, &image);
    blob = local_image_blob_path(dir, image.digest);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(want); i++) {
        _cleanup_free_ char *path = faas_asprintf("%s%s", blob, want[i].rest);
        struct stat st;

        print_message("  %s\n", want[i].rest);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mode, want[i].mode);
    }
    assert_int_equal(entries(dir, "images/tmp"), 0);
    assert_true(has(dir, "images/refs/ghcr%2Eio%2Fme%2Fhello%3A1") ||
                has(dir, "images/refs/ghcr.io%2Fme%2Fhello%3A1"));
    assert_int_equal(local_image_get(dir, "ghcr.io/me/hello:1", &found, &err), 0);
    assert_string_equal(found.digest, image.digest);
    assert_int_equal(found.bytes, image.bytes);
    assert_int_equal(found.created_ns, image.created_ns);
    faas_image_deinit(&found);
    assert_int_equal(local_image_get(dir, "ghcr.io/me/hello", &found, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    faas_image_deinit(&image);
}

static void equal_content_is_stored_once(void **state)
{
    const char *dir = *state;
    struct faas_image first = {0}, second = {0}, *list = NULL;
    size_t n = 0;
    struct faas_error err = {0};

    put(dir, "b:1", CAT, &first);
    put(dir, "a:1", CAT, &second);
    assert_string_equal(first.digest, second.digest);
    assert_int_equal(entries(dir, "images/blobs"), 1);
    assert_int_equal(local_image_list(dir, &list, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "a:1");
    assert_string_equal(list[1].name, "b:1");
    for (size_t i = 0; i < n; i++)
        faas_image_deinit(&list[i]);
    free(list);
    faas_image_deinit(&first);
    faas_image_deinit(&second);
}

/* Both found the blob missing and unpacked it. */
static void the_slower_of_two_equal_uploads_changes_nothing(void **state)
{
    const char *dir = *state;
    struct faas_image image = {0};
    _cleanup_free_ char *tmp = NULL;
    _cleanup_close_ int fd = -1;
    struct faas_error err = {0};

    put(dir, "a:1", CAT, &image);
    fd = bundle(dir, CAT);
    assert_int_equal(local_image_unpack(dir, fd, &roomy, &tmp, &err), 0);
    assert_int_equal(local_image_install(dir, image.digest, tmp, &err), 0);
    assert_int_equal(entries(dir, "images/tmp"), 0);
    assert_int_equal(entries(dir, "images/blobs"), 1);
    faas_image_deinit(&image);
}

static void what_is_no_bundle_is_refused_and_leaves_nothing(void **state)
{
    static const struct {
        const char *manifest;
        struct faas_tar_limits limits;
        enum faas_code code;
        const char *why;
    } cases[] = {
        {NULL, {1 << 20, 100}, FAAS_ERR_INVALID, "bundle.json"},
        {"{}", {1 << 20, 100}, FAAS_ERR_INVALID, "version"},
        {"{\"version\":1}", {1 << 20, 100}, FAAS_ERR_INVALID, "fprocess"},
        {CAT, {20, 100}, FAAS_ERR_TOO_LARGE, ""},
        {CAT, {1 << 20, 2}, FAAS_ERR_TOO_LARGE, ""},
    };
    const char *dir = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_close_ int fd = bundle(dir, cases[i].manifest);
        _cleanup_free_ char *tmp = NULL;
        struct faas_error err = {0};

        assert_int_equal(local_image_unpack(dir, fd, &cases[i].limits, &tmp, &err), -1);
        print_message("  %s\n", err.msg);
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_null(tmp);
        assert_int_equal(entries(dir, "images/tmp"), 0);
        assert_int_equal(entries(dir, "trash"), 0);
    }
}

static void an_upload_that_is_no_tar_is_refused(void **state)
{
    static const char *const texts[] = {"", "this is not a tar archive at all"};
    const char *dir = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(texts); i++) {
        _cleanup_free_ char *path = in(dir, "junk");
        _cleanup_free_ char *tmp = NULL;
        _cleanup_close_ int fd = -1;
        struct faas_error err = {0};

        write_to(dir, "junk", texts[i], 0600);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(local_image_unpack(dir, fd, &roomy, &tmp, &err), -1);
        print_message("  %s\n", err.msg);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(entries(dir, "images/tmp"), 0);
    }
}

static void only_bundles_that_something_names_are_kept(void **state)
{
    const char *dir = *state;
    struct faas_image named = {0}, replaced = {0}, used = {0};
    _cleanup_strv_ struct faas_strv in_use = {0};
    struct faas_error err = {0};

    put(dir, "x:1", CAT, &replaced);
    put(dir, "x:1", ENV, &named);
    put(dir, "y:1", "{\"version\":1,\"fprocess\":\"used\"}", &used);
    assert_int_equal(local_image_remove_ref(dir, "y:1", &err), 0);
    assert_int_equal(local_image_remove_ref(dir, "y:1", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(entries(dir, "images/blobs"), 3);
    faas_strv_add(&in_use, used.digest);
    local_image_collect(dir, &in_use);
    assert_true(local_image_has_blob(dir, named.digest));
    assert_true(local_image_has_blob(dir, used.digest));
    assert_false(local_image_has_blob(dir, replaced.digest));
    assert_int_equal(entries(dir, "trash"), 1);
    local_trash_empty(dir);
    assert_int_equal(entries(dir, "trash"), 0);
    faas_image_deinit(&named);
    faas_image_deinit(&replaced);
    faas_image_deinit(&used);
}

static void a_ref_that_cannot_be_read_stops_the_collection(void **state)
{
    static const char *const broken[] = {"", "{", "{\"name\":\"x:1\"}",
                                         "{\"name\":\"x:1\",\"digest\":\"sha256:../../x\"}"};
    const char *dir = *state;
    struct faas_image image = {0}, found = {0}, *list = NULL;
    const struct faas_strv none = {0};
    size_t n = 0;

    put(dir, "x:1", CAT, &image);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(broken); i++) {
        struct faas_error err = {0};

        print_message("  %s\n", broken[i]);
        write_to(dir, "images/refs/x%3A1", broken[i], 0600);
        local_image_collect(dir, &none);
        assert_true(local_image_has_blob(dir, image.digest));
        assert_int_equal(local_image_get(dir, "x:1", &found, &err), -1);
        assert_null(found.name);
        assert_int_equal(local_image_list(dir, &list, &n, &err), 0);
        assert_int_equal(n, 0);
        free(list);
    }
    faas_image_deinit(&image);
}

static void names_cannot_leave_the_store(void **state)
{
    const char *dir = *state;
    struct faas_image image = {.digest = (char *)"sha256:x"};
    char long_name[252];
    struct faas_error err = {0};

    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    image.name = long_name;
    assert_int_equal(local_image_set_ref(dir, &image, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    image.name = (char *)"../../../evil";
    assert_int_equal(local_image_set_ref(dir, &image, &err), 0);
    assert_true(has(dir, "images/refs/%2E.%2F..%2F..%2Fevil"));
}

static void an_interrupted_upload_is_cleared_at_the_next_start(void **state)
{
    const char *dir = *state;
    struct faas_image image = {0};
    _cleanup_free_ char *half = in(dir, "images/tmp/half");
    struct faas_error err = {0};

    put(dir, "x:1", CAT, &image);
    assert_int_equal(mkdir(half, 0700), 0);
    assert_int_equal(local_images_init(dir, &err), 0);
    assert_int_equal(entries(dir, "images/tmp"), 0);
    assert_true(local_image_has_blob(dir, image.digest));
    faas_image_deinit(&image);
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_without_a_tag_means_latest),
        WITH_STORE(a_stored_bundle_is_readable_to_all_and_writable_to_none),
        WITH_STORE(equal_content_is_stored_once),
        WITH_STORE(the_slower_of_two_equal_uploads_changes_nothing),
        WITH_STORE(what_is_no_bundle_is_refused_and_leaves_nothing),
        WITH_STORE(an_upload_that_is_no_tar_is_refused),
        WITH_STORE(only_bundles_that_something_names_are_kept),
        WITH_STORE(a_ref_that_cannot_be_read_stops_the_collection),
        WITH_STORE(names_cannot_leave_the_store),
        WITH_STORE(an_interrupted_upload_is_cleared_at_the_next_start),
    };
    return cmocka_run_group_tests_name("local images", tests, NULL, NULL);
}
