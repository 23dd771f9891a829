/* Any archive, unpacked into <tmp>/jail: nothing appears beside the jail, what is beside it stays
 * as it was, no symlink in the jail leads out of it, and the limits hold. */
#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/tar.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct faas_tar_limits limits = {.max_bytes = 1 << 16, .max_entries = 50};

struct found {
    uint64_t bytes;
    uint64_t entries;
};

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check_symlink(const char *path, const char *jail)
{
    _cleanup_free_ char *to = realpath(path, NULL); /* NULL: to nothing, which is nowhere */

    check(!to || (strncmp(to, jail, strlen(jail)) == 0 && strchr("/", to[strlen(jail)])),
          "a symlink leads out");
}

static void walk(const char *dir, const char *jail, struct found *f)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    check(d, "a folder cannot be opened");
    while ((e = readdir(d))) {
        _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, e->d_name);
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        check(lstat(path, &st) == 0, "an entry vanished");
        check((st.st_mode & 07000) == 0, "a special permission bit");
        f->entries++;
        if (S_ISDIR(st.st_mode))
            walk(path, jail, f);
        else if (S_ISLNK(st.st_mode))
            check_symlink(path, jail);
        else if (S_ISREG(st.st_mode))
            f->bytes += (uint64_t)st.st_size / st.st_nlink;
        else
            check(false, "something that is no file");
    }
    closedir(d);
}

static void check_outside(const char *top)
{
    _cleanup_free_ char *victim = faas_asprintf("%s/victim", top);
    _cleanup_buf_ struct faas_buf text = {0};
    DIR *d = opendir(top);
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    check(n == 4, "something appeared beside the jail"); /* . .. jail victim */
    check(faas_file_read(victim, 100, &text, NULL) == 0 &&
              faas_str_eqz(faas_buf_str(&text), "untouched"),
          "what is beside the jail was changed");
}

/* Makes the checksum of each header right: no mutation would get past it otherwise. */
static void fix_checksums(char *tar, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512) {
        unsigned sum = 8 * ' ';

        if (memcmp(tar + at + 257, "ustar", 5) != 0)
            continue;
        for (size_t i = 0; i < 512; i++)
            sum += i >= 148 && i < 156 ? 0 : (unsigned char)tar[at + i];
        for (size_t i = 6; i > 0; i--, sum /= 8)
            tar[at + 148 + i - 1] = (char)('0' + sum % 8);
        memcpy(tar + at + 154, "\0 ", 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char top[] = "/dev/shm/fuzz-tar-XXXXXX";
    _cleanup_free_ char *jail = NULL, *victim = NULL;
    _cleanup_free_ char *copy = faas_strndup((const char *)data, size);
    struct faas_str tar = {.ptr = copy, .len = size};
    struct found f = {0};
    struct faas_error err;

    check(mkdtemp(top) != NULL, "no temporary folder");
    jail = faas_asprintf("%s/jail", top);
    victim = faas_asprintf("%s/victim", top);
    check(mkdir(jail, 0755) == 0, "no jail");
    check(faas_file_replace(victim, FAAS_STR("untouched"), 0600, NULL) == 0, "no victim");
    fix_checksums(copy, size);
    (void)!faas_tar_extract_mem(tar, "", jail, &limits, &err);
    check_outside(top);
    walk(jail, jail, &f);
    /* the one that broke the limit may have left a part of itself */
    check(f.bytes <= limits.max_bytes + 1, "more bytes than allowed");
    check(f.entries <= limits.max_entries + 1, "more entries than allowed");
    check(faas_remove_tree(top, &err) == 0, err.msg);
    return 0;
}
