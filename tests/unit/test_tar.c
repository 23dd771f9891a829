#include "libfaas/tar.h"
#include "tests/unit/tmpdir.h"

#include "libfaas/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct faas_tar_limits plenty = {.max_bytes = 1 << 20, .max_entries = 1000};

/* A tar writer that refuses nothing. */

struct item {
    const char *name;
    char type;       /* '0' file, '1' hard link, '2' symlink, '3' device, '5' folder, '6' pipe */
    const char *arg; /* content or target */
    unsigned mode;
    unsigned long long size; /* declared; 0: that of the content */
};

static void octal(char *to, size_t digits, unsigned long long n)
{
    for (to[digits] = '\0'; digits > 0; n /= 8)
        to[--digits] = (char)('0' + n % 8);
}

static void add(struct faas_buf *tar, struct item it)
{
    char h[512] = {0};
    size_t len = it.type == '0' && it.arg ? strlen(it.arg) : 0;
    unsigned sum = 0;

    memcpy(h, it.name, FAAS_MIN(strlen(it.name), (size_t)100));
    octal(h + 100, 7, it.mode ? it.mode : 0644);
    octal(h + 108, 7, 0);
    octal(h + 116, 7, 0);
    octal(h + 124, 11, it.size ? it.size : len);
    octal(h + 136, 11, 0);
    memset(h + 148, ' ', 8);
    h[156] = it.type;
    if (it.type != '0' && it.arg)
        memcpy(h + 157, it.arg, FAAS_MIN(strlen(it.arg), (size_t)100));
    memcpy(h + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof(h); i++)
        sum += (unsigned char)h[i];
    octal(h + 148, 6, sum);
    faas_buf_append(tar, h, sizeof(h));
    faas_buf_append(tar, it.arg, len);
    while (tar->len % 512)
        faas_buf_append_c(tar, '\0');
}

static void end(struct faas_buf *tar)
{
    static const char zeros[1024];

    faas_buf_append(tar, zeros, sizeof(zeros));
}

static int extract(const char *dir, const struct faas_buf *tar,
                   const struct faas_tar_limits *limits, struct faas_error *err)
{
    FILE *f = tmpfile();
    int rc;

    assert_int_equal(fwrite(tar->data, 1, tar->len, f), tar->len);
    assert_int_equal(fflush(f), 0);
    rewind(f);
    rc = faas_tar_extract(fileno(f), dir, limits, err);
    fclose(f);
    return rc;
}

static bool holds(const char *dir, const char *name, const char *text)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);
    _cleanup_buf_ struct faas_buf got = {0};

    return faas_file_read(path, 1 << 20, &got, NULL) == 0 && faas_str_eqz(faas_buf_str(&got), text);
}

static mode_t mode_of(const char *dir, const char *name)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static char *sub(const char *dir, const char *name)
{
    char *path = faas_asprintf("%s/%s", dir, name);

    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);

    assert_int_equal(faas_file_replace(path, faas_str_from(text), mode, NULL), 0);
}

static void make_sample_tree(const char *dir)
{
    _cleanup_free_ char *deep = faas_asprintf("%s/lib/deep", dir);
    _cleanup_free_ char *link = faas_asprintf("%s/lib/deep/link", dir);
    char long_name[201] = "long-";

    memset(long_name + 5, 'n', 195);
    assert_int_equal(faas_mkdirs(deep, 0700, NULL), 0);
    put(dir, "run.sh", "#!/bin/sh\n", 0700);
    put(dir, "lib/data", "data", 0600);
    put(dir, "lib/deep/empty", "", 0644);
    put(dir, "gr\xc3\xbc\xc3\x9f", "utf-8", 0644);
    put(dir, "latin-\xe4", "not utf-8", 0644);
    put(dir, long_name, "long", 0644);
    assert_int_equal(symlink("../data", link), 0);
}

static int pack(const char *dir, char digest[65])
{
    int fd = fileno(tmpfile());
    struct faas_error err = {0};

    if (faas_tar_create(dir, fd, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(faas_sha256_fd(fd, digest, NULL), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_tree_survives_the_journey(void **state)
{
    _cleanup_free_ char *from = sub(*state, "from");
    _cleanup_free_ char *to = sub(*state, "to");
    _cleanup_close_ int fd = -1;
    mode_t old = umask(077);
    struct faas_error err = {0};
    char digest[65], long_name[201] = "long-";

    memset(long_name + 5, 'n', 195);
    make_sample_tree(from);
    fd = pack(from, digest);
    if (faas_tar_extract(fd, to, &plenty, &err) < 0)
        fail_msg("%s", err.msg);
    umask(old);
    assert_true(holds(to, "run.sh", "#!/bin/sh\n"));
    assert_int_equal(mode_of(to, "run.sh"), S_IFREG | 0755);
    assert_int_equal(mode_of(to, "lib"), S_IFDIR | 0755);
    assert_int_equal(mode_of(to, "lib/data"), S_IFREG | 0644);
    assert_true(holds(to, "lib/deep/empty", ""));
    assert_true(holds(to, "gr\xc3\xbc\xc3\x9f", "utf-8"));
    assert_true(holds(to, "latin-\xe4", "not utf-8"));
    assert_true(holds(to, long_name, "long"));
    assert_true(S_ISLNK(mode_of(to, "lib/deep/link")));
    assert_true(holds(to, "lib/deep/link", "data"));
}

static void equal_trees_give_equal_archives(void **state)
{
    _cleanup_free_ char *a = sub(*state, "a");
    _cleanup_free_ char *b = sub(*state, "b");
    _cleanup_free_ char *changed = faas_asprintf("%s/run.sh", b);
    char one[65], two[65], three[65];

    make_sample_tree(a);
    make_sample_tree(b);
    assert_int_equal(chmod(changed, 0755), 0);
    close(pack(a, one));
    close(pack(b, two));
    assert_string_equal(one, two);
    put(b, "run.sh", "#!/bin/ash", 0700);
    close(pack(b, three));
    assert_string_not_equal(one, three);
}

static void only_the_part_below_a_prefix_is_unpacked(void **state)
{
    static const struct {
        const char *prefix, *file; /* file: NULL when nothing is found */
    } cases[] = {
        {"templates/python3", "handler.py"},
        {"templates/python3/", "handler.py"},
        {"templates", "python3/handler.py"},
        {"", "templates/python3/handler.py"},
        {"templates/python", NULL},
        {"templates/ruby", NULL},
        {"templates/python3/handler.py", NULL},
    };
    _cleanup_buf_ struct faas_buf tar = {0};

    add(&tar, (struct item){"./templates/", '5', NULL, 0755, 0});
    add(&tar, (struct item){"./templates/python3/", '5', NULL, 0755, 0});
    add(&tar, (struct item){"templates//python3/handler.py", '0', "def", 0, 0});
    add(&tar, (struct item){"templates/python3-other/x", '0', "x", 0, 0});
    end(&tar);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char name[8];
        _cleanup_free_ char *dir = NULL;
        struct faas_error err = {0};
        int rc;

        snprintf(name, sizeof(name), "%zu", i);
        dir = sub(*state, name);
        rc = faas_tar_extract_mem(faas_buf_str(&tar), cases[i].prefix, dir, &plenty, &err);
        if (cases[i].file) {
            assert_int_equal(rc, 0);
            assert_true(holds(dir, cases[i].file, "def"));
        } else {
            assert_int_equal(rc, -1);
            assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
            assert_non_null(strstr(err.msg, cases[i].prefix));
        }
    }
}

struct attack {
    const char *what;
    struct item items[4];
    const char *part; /* of the message */
};

/* Each is unpacked into <tmp>/N/jail; <tmp>/N/victim must stay as it was. */
static const struct attack attacks[] = {
    {"absolute path", {{"/etc/x", '0', "x", 0, 0}}, "entry \"/etc/x\": the path is absolute"},
    {"dot dot", {{"../victim", '0', "x", 0, 0}}, "entry \"../victim\": the path has \"..\""},
    {"hidden dot dot", {{"a/./../../victim", '0', "x", 0, 0}}, "the path has \"..\""},
    {"dot dot folder", {{"..", '5', NULL, 0, 0}}, "the path has \"..\""},
    {"write through a symlink",
     {{"d", '5', NULL, 0, 0}, {"l", '2', "d", 0, 0}, {"l/x", '0', "x", 0, 0}},
     "entry \"l/x\": \"l\" on the way is not a folder"},
    {"symlink out", {{"l", '2', "../victim", 0, 0}}, "entry \"l\": is a symlink that may lead out"},
    {"absolute symlink", {{"l", '2', "/etc/passwd", 0, 0}}, "is a symlink that may lead out"},
    {"symlink to nothing", {{"l", '2', "", 0, 0}}, "entry \"l\": "},
    {"symlink out by way of another",
     {{"a/b/c/up", '2', "../../..", 0, 0}, {"l", '2', "a/b/c/up/../victim", 0, 0}},
     "entry \"l\": is a symlink that may lead out"},
    {"symlink too far up", {{"a/l", '2', "../../victim", 0, 0}}, "is a symlink that may lead out"},
    {"folder over a symlink",
     {{"d", '5', NULL, 0, 0}, {"l", '2', "d", 0, 0}, {"l", '5', NULL, 0, 0}},
     "\"l\" on the way is not a folder"},
    {"file over a folder",
     {{"d/x", '0', "x", 0, 0}, {"d", '0', "x", 0, 0}},
     "entry \"d\": would replace a folder"},
    {"symlink over a folder",
     {{"d/x", '0', "x", 0, 0}, {"d", '2', "x", 0, 0}},
     "would replace a folder"},
    {"folder over a file",
     {{"f", '0', "x", 0, 0}, {"f/x", '0', "x", 0, 0}},
     "\"f\" on the way is not a folder"},
    {"hard link out",
     {{"h", '1', "../victim", 0, 0}},
     "entry \"h\": hard link: the path has \"..\""},
    {"absolute hard link", {{"h", '1', "/etc/passwd", 0, 0}}, "hard link: the path is absolute"},
    {"hard link to nothing", {{"h", '1', "none", 0, 0}}, "hard link to something else than a file"},
    {"hard link to itself", {{"h", '1', "h", 0, 0}}, "hard link to something else than a file"},
    {"hard link to a symlink, which would then lead out",
     {{"a/b/s", '2', "../../x", 0, 0}, {"s", '1', "a/b/s", 0, 0}},
     "hard link to something else than a file"},
    {"device", {{"null", '3', NULL, 0, 0}}, "entry \"null\": is neither a file"},
    {"named pipe", {{"pipe", '6', NULL, 0, 0}}, "entry \"pipe\": is neither a file"},
    {"setuid file", {{"su", '0', "x", 04755, 0}}, "entry \"su\": is setuid or setgid"},
    {"setgid file", {{"sg", '0', "x", 02755, 0}}, "is setuid or setgid"},
    {"size beyond the limit",
     {{"f", '0', "x", 0, 077777777777}},
     "entry \"f\": archive unpacks to more than 1048576 bytes"},
    {"cut off", {{"f", '0', "x", 0, 100000}}, "not a readable tar archive: Truncated"},
};

static void no_archive_gets_out(void **state)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(attacks); i++) {
        const struct attack *a = &attacks[i];
        _cleanup_buf_ struct faas_buf tar = {0};
        _cleanup_free_ char *top = NULL, *jail = NULL;
        struct faas_error err = {0};
        char name[16];

        snprintf(name, sizeof(name), "%zu", i);
        top = sub(*state, name);
        jail = sub(top, "jail");
        put(top, "victim", "untouched", 0600);
        for (size_t j = 0; j < FAAS_ARRAY_LEN(a->items) && a->items[j].name; j++)
            add(&tar, a->items[j]);
        if (extract(jail, &tar, &plenty, &err) == 0)
            fail_msg("%s: was unpacked", a->what);
        if (!strstr(err.msg, a->part))
            fail_msg("%s: %s", a->what, err.msg);
        if (err.code != FAAS_ERR_INVALID && err.code != FAAS_ERR_TOO_LARGE)
            fail_msg("%s: code %d", a->what, err.code);
        assert_true(holds(top, "victim", "untouched"));
    }
}

static void later_entries_replace_earlier_ones_without_writing_through_them(void **state)
{
    _cleanup_buf_ struct faas_buf tar = {0};
    struct faas_error err = {0};

    add(&tar, (struct item){"target", '0', "first", 0, 0});
    add(&tar, (struct item){"l", '2', "target", 0, 0});
    add(&tar, (struct item){"l", '0', "second", 0, 0});
    add(&tar, (struct item){"hard", '1', "target", 0, 0});
    add(&tar, (struct item){"hard", '0', "third", 0, 0});
    add(&tar, (struct item){"kept", '1', "./target", 0, 0});
    end(&tar);
    if (extract(*state, &tar, &plenty, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(holds(*state, "target", "first"));
    assert_true(holds(*state, "l", "second"));
    assert_true(holds(*state, "hard", "third"));
    assert_true(holds(*state, "kept", "first"));
    assert_true(S_ISREG(mode_of(*state, "l")));
}

static void symlinks_that_stay_inside_are_kept(void **state)
{
    _cleanup_buf_ struct faas_buf tar = {0};
    struct faas_error err = {0};

    add(&tar, (struct item){"a/b/up", '2', "../../f", 0, 0});
    add(&tar, (struct item){"a/here", '2', "./b/.", 0, 0});
    add(&tar, (struct item){"top", '2', "a/b/../b", 0, 0});
    end(&tar);
    assert_int_equal(extract(*state, &tar, &plenty, &err), -1); /* ".." behind a name */
    faas_buf_clear(&tar);
    add(&tar, (struct item){"f", '0', "f", 0, 0});
    add(&tar, (struct item){"a/b/up", '2', "../../f", 0, 0});
    add(&tar, (struct item){"a/here", '2', "./b/.", 0, 0});
    end(&tar);
    if (extract(*state, &tar, &plenty, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(holds(*state, "a/here/up", "f"));
}

static void limits_hold_exactly(void **state)
{
    static const struct {
        struct faas_tar_limits limits;
        const char *msg; /* NULL: fits */
    } cases[] = {
        {{.max_bytes = 8, .max_entries = 4}, NULL},
        {{.max_bytes = 7, .max_entries = 4}, "entry \"d/g\": archive unpacks to more than 7 bytes"},
        {{.max_bytes = 8, .max_entries = 3}, "entry \"e/\": archive has more than 3 entries"},
        {{.max_bytes = 8, .max_entries = 2}, "entry \"d/g\": archive has more than 2 entries"},
    };
    _cleanup_buf_ struct faas_buf tar = {0};

    add(&tar, (struct item){"f", '0', "1234", 0, 0});
    add(&tar, (struct item){"d/g", '0', "5678", 0, 0}); /* an entry and its folder */
    add(&tar, (struct item){"e/", '5', NULL, 0, 0});
    end(&tar);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char name[8];
        _cleanup_free_ char *dir = NULL;
        struct faas_error err = {0};
        int rc;

        snprintf(name, sizeof(name), "%zu", i);
        dir = sub(*state, name);
        rc = extract(dir, &tar, &cases[i].limits, &err);
        if (!cases[i].msg) {
            assert_int_equal(rc, 0);
            continue;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
        if (!strstr(cases[i].msg, err.msg))
            fail_msg("case %zu: %s", i, err.msg);
    }
}

/* Made with GNU tar -S: 1 TiB of hole in a few bytes of archive. */
static void holes_count_as_bytes(void **state)
{
    _cleanup_free_ char *from = sub(*state, "from");
    _cleanup_free_ char *to = sub(*state, "to");
    _cleanup_free_ char *command =
        faas_asprintf("cd %s && truncate -s 1T f && tar -S -cf ../tar f", from);
    _cleanup_free_ char *tar = faas_asprintf("%s/tar", (char *)*state);
    _cleanup_close_ int fd = -1;
    struct faas_error err = {0};

    assert_int_equal(system(command), 0);
    fd = open(tar, O_RDONLY | O_CLOEXEC);
    assert_int_equal(faas_tar_extract(fd, to, &plenty, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
}

static void compressed_archives_are_read_and_bombs_are_not(void **state)
{
    static const char *const tools[] = {"gzip", "zstd -q"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(tools); i++) {
        char name[8];
        _cleanup_free_ char *dir = NULL, *small = NULL, *bomb = NULL, *command = NULL;
        _cleanup_close_ int small_fd = -1, bomb_fd = -1;
        struct faas_error err = {0};

        snprintf(name, sizeof(name), "%zu", i);
        dir = sub(*state, name);
        small = faas_asprintf("%s/small", dir);
        bomb = faas_asprintf("%s/bomb", dir);
        command = faas_asprintf("cd %s && echo hi > f && tar -cf - f | %s > small && "
                                "truncate -s 64M g && tar -cf - g | %s > bomb && rm f g",
                                dir, tools[i], tools[i]);
        assert_int_equal(system(command), 0);
        small_fd = open(small, O_RDONLY | O_CLOEXEC);
        bomb_fd = open(bomb, O_RDONLY | O_CLOEXEC);
        if (faas_tar_extract(small_fd, dir, &plenty, &err) < 0)
            fail_msg("%s", err.msg);
        assert_true(holds(dir, "f", "hi\n"));
        assert_int_equal(faas_tar_extract(bomb_fd, dir, &plenty, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
    }
}

static void what_is_no_archive_is_refused(void **state)
{
    static const char *const cases[] = {"", "hello", "PK\003\004"};
    _cleanup_free_ char *none = faas_asprintf("%s/none", (char *)*state);
    _cleanup_buf_ struct faas_buf tar = {0};
    struct faas_error err = {0};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        assert_int_equal(faas_tar_extract_mem(faas_str_from(cases[i]), "", *state, &plenty, &err),
                         -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, "not a readable tar archive"));
    }
    add(&tar, (struct item){"f", '0', "x", 0, 0});
    assert_int_equal(faas_tar_extract_mem(faas_buf_str(&tar), "", none, &plenty, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_tar_extract(-1, *state, &plenty, &err), -1);
}

static void what_cannot_be_packed_is_named(void **state)
{
    _cleanup_free_ char *from = sub(*state, "from");
    _cleanup_free_ char *d = sub(from, "d");
    _cleanup_free_ char *pipe = faas_asprintf("%s/pipe", d);
    _cleanup_free_ char *none = faas_asprintf("%s/none", from);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct faas_error err = {0};

    assert_int_equal(faas_tar_create(from, full, &err), -1);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(faas_tar_create(from, full, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "d/pipe: is neither a file"));
    assert_int_equal(faas_tar_create(none, full, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tmpdir_test(a_tree_survives_the_journey),
        tmpdir_test(equal_trees_give_equal_archives),
        tmpdir_test(only_the_part_below_a_prefix_is_unpacked),
        tmpdir_test(no_archive_gets_out),
        tmpdir_test(later_entries_replace_earlier_ones_without_writing_through_them),
        tmpdir_test(symlinks_that_stay_inside_are_kept),
        tmpdir_test(limits_hold_exactly),
        tmpdir_test(holes_count_as_bytes),
        tmpdir_test(compressed_archives_are_read_and_bombs_are_not),
        tmpdir_test(what_is_no_archive_is_refused),
        tmpdir_test(what_cannot_be_packed_is_named),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
