#include "cli/image.h"

#include "cli/run.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_FILE = 1 << 30 };

char *cli_image_tagged(const char *image)
{
    const char *slash = strrchr(image, '/');

    return strchr(slash ? slash : image, ':') ? faas_strdup(image)
                                              : faas_asprintf("%s:latest", image);
}

const char *cli_platform(void)
{
#if defined(__x86_64__)
    return "linux/amd64";
#elif defined(__aarch64__)
    return "linux/arm64";
#elif defined(__arm__)
    return "linux/arm/v7";
#elif defined(__riscv) && __riscv_xlen == 64
    return "linux/riscv64";
#elif defined(__s390x__)
    return "linux/s390x";
#elif defined(__powerpc64__)
    return "linux/ppc64le";
#else
    return "linux/386";
#endif
}

static char *git(char *const *argv, struct faas_error *err)
{
    char *out = cli_run_capture(argv, NULL, err);

    if (!out)
        faas_error_wrap(err, "--tag needs a git repository");
    return out;
}

static char *git_commit(struct faas_error *err)
{
    return git((char *[]){"git", "rev-parse", "--short", "HEAD", NULL}, err);
}

/* A tag has no '/', and branches often do. */
static char *git_branch(struct faas_error *err)
{
    char *branch = git(
        (char *[]){"git", "rev-parse", "--symbolic-full-name", "--abbrev-ref", "HEAD", NULL}, err);

    for (char *slash = branch; slash && (slash = strchr(slash, '/'));)
        *slash = '-';
    return branch;
}

static char *git_description(struct faas_error *err)
{
    return git((char *[]){"git", "describe", "--tags", "--always", NULL}, err);
}

static char *with_suffix(const char *image, char *suffix)
{
    _cleanup_free_ char *owned = suffix;

    return owned ? faas_asprintf("%s-%s", image, owned) : NULL;
}

static char *with_branch(const char *image, struct faas_error *err)
{
    _cleanup_free_ char *branch = git_branch(err);
    _cleanup_free_ char *on_branch = branch ? faas_asprintf("%s-%s", image, branch) : NULL;

    return on_branch ? with_suffix(on_branch, git_commit(err)) : NULL;
}

/* All regular files below, by path; symlinks count for nothing. */
static int list_files(const char *folder, struct faas_strv *out, struct faas_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "%s", folder);
    while (rc == 0 && (entry = readdir(dir))) {
        _cleanup_free_ char *path = faas_asprintf("%s/%s", folder, entry->d_name);
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (lstat(path, &st) < 0)
            rc = faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", path);
        else if (S_ISDIR(st.st_mode))
            rc = list_files(path, out, err);
        else if (S_ISREG(st.st_mode))
            faas_strv_add(out, path);
    }
    closedir(dir);
    return rc;
}

/* MD5 over the MD5s of all files, in the order of their paths. */
static int folder_digest(const char *folder, char out[33], struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv files = {0};
    _cleanup_buf_ struct faas_buf digests = {0};

    if (list_files(folder, &files, err) < 0)
        return -1;
    faas_strv_sort(&files);
    faas_strv_for_each(&files, file)
    {
        _cleanup_buf_ struct faas_buf content = {0};

        if (faas_file_read(*file, MAX_FILE, &content, err) < 0)
            return -1;
        faas_md5_hex(content.data ? content.data : "", content.len, out);
        faas_buf_append(&digests, out, 32);
    }
    faas_md5_hex(digests.data ? digests.data : "", digests.len, out);
    return 0;
}

static char *with_digest(const char *image, const char *handler, struct faas_error *err)
{
    char digest[33];

    if (!handler) {
        faas_fail(err, FAAS_ERR_INVALID, "--tag digest needs a handler");
        return NULL;
    }
    if (folder_digest(handler, digest, err) < 0)
        return NULL;
    return faas_asprintf("%.*s:%s", (int)(strrchr(image, ':') - image), image, digest);
}

char *cli_image_name(const char *image, const char *format, const char *handler,
                     struct faas_error *err)
{
    _cleanup_free_ char *tagged = cli_image_tagged(image);

    if (!format || !*format || strcasecmp(format, "latest") == 0 ||
        strcasecmp(format, "default") == 0)
        return faas_steal_ptr(&tagged);
    if (strcasecmp(format, "sha") == 0)
        return with_suffix(tagged, git_commit(err));
    if (strcasecmp(format, "branch") == 0)
        return with_branch(tagged, err);
    if (strcasecmp(format, "describe") == 0)
        return with_suffix(tagged, git_description(err));
    if (strcasecmp(format, "digest") == 0)
        return with_digest(tagged, handler, err);
    faas_fail(err, FAAS_ERR_INVALID, "unknown tag format \"%s\"", format);
    return NULL;
}
