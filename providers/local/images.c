#include "providers/local/images.h"

#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "providers/local/bundle.h"
#include "providers/local/disk.h"
#include "providers/local/record.h"
#include "providers/local/trash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define REF_MAX      4096
#define REF_NAME_MAX 250 /* NAME_MAX less the suffix of a temporary file */

static char *images_path(const char *state_dir, const char *rest)
{
    return faas_asprintf("%s/images/%s", state_dir, rest);
}

int local_images_init(const char *state_dir, struct faas_error *err)
{
    _cleanup_free_ char *root = faas_asprintf("%s/images", state_dir);
    _cleanup_free_ char *blobs = images_path(state_dir, "blobs");
    _cleanup_free_ char *refs = images_path(state_dir, "refs");
    _cleanup_free_ char *tmp = images_path(state_dir, "tmp");

    (void)local_trash_move(state_dir, tmp);
    if (local_mkdir(root, 0711, err) < 0 || local_mkdir(blobs, 0711, err) < 0 ||
        local_mkdir(refs, 0700, err) < 0 || local_mkdir(tmp, 0700, err) < 0)
        return local_disk_failed(err);
    return 0;
}

char *local_image_full_name(const char *image)
{
    const char *slash = strrchr(image, '/');

    if (strchr(slash ? slash : image, ':') || strchr(image, '@'))
        return faas_strdup(image);
    return faas_asprintf("%s:latest", image);
}

int local_image_digest(int fd, char **digest, uint64_t *bytes, struct faas_error *err)
{
    struct stat st;
    char hex[65];

    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read the upload");
    if (faas_sha256_fd(fd, hex, err) < 0)
        return -1;
    *digest = faas_asprintf("sha256:%s", hex);
    *bytes = (uint64_t)st.st_size;
    return 0;
}

char *local_image_blob_path(const char *state_dir, const char *digest)
{
    const char *colon = strchr(digest, ':');

    return faas_asprintf("%s/images/blobs/%s", state_dir, colon ? colon + 1 : digest);
}

bool local_image_has_blob(const char *state_dir, const char *digest)
{
    _cleanup_free_ char *path = local_image_blob_path(state_dir, digest);

    return faas_file_exists(path);
}

/* What is in it was unpacked readable to all and writable to us alone; now the folder itself is,
 * and all of it reaches the disk before it gets its name. */
static int seal(const char *dir, struct faas_error *err)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fchmod(fd, 0755) < 0 || syncfs(fd) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "sync the bundle");
    return 0;
}

static int unpack_into(const char *dir, int fd, const struct faas_tar_limits *limits,
                       struct faas_error *err)
{
    _cleanup_(local_bundle_deinit) struct local_bundle bundle = {0};

    if (lseek(fd, 0, SEEK_SET) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read the upload");
    if (faas_tar_extract(fd, dir, limits, err) < 0 || local_bundle_load(dir, &bundle, err) < 0)
        return -1;
    return seal(dir, err);
}

int local_image_unpack(const char *state_dir, int fd, const struct faas_tar_limits *limits,
                       char **tmp, struct faas_error *err)
{
    _cleanup_free_ char *dir = NULL;
    char id[37];

    faas_uuid(id);
    dir = faas_asprintf("%s/images/tmp/%s", state_dir, id);
    if (mkdir(dir, 0700) < 0) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", dir);
        return local_disk_failed(err);
    }
    if (unpack_into(dir, fd, limits, err) < 0) {
        if (faas_remove_tree(dir, NULL) < 0)
            (void)local_trash_move(state_dir, dir);
        return local_disk_failed(err);
    }
    *tmp = faas_steal_ptr(&dir);
    return 0;
}

int local_image_install(const char *state_dir, const char *digest, const char *tmp,
                        struct faas_error *err)
{
    _cleanup_free_ char *blob = local_image_blob_path(state_dir, digest);
    _cleanup_free_ char *blobs = images_path(state_dir, "blobs");

    if (rename(tmp, blob) < 0) {
        int why = errno;

        (void)local_trash_move(state_dir, tmp);
        if (why == EEXIST || why == ENOTEMPTY)
            return 0; /* somebody else was faster with the same content */
        faas_fail_errno(err, FAAS_ERR_INTERNAL, why, "install the bundle");
        return local_disk_failed(err);
    }
    if (local_sync_dir(blobs, err) < 0)
        return local_disk_failed(err);
    return 0;
}

/* A name as one path component: everything but [A-Za-z0-9._-] as %XX, a leading dot too. */
static int ref_path(const char *state_dir, const char *image, char **path, struct faas_error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-";
    _cleanup_buf_ struct faas_buf b = {0};

    for (const char *c = image; *c; c++) {
        if (strchr(plain, *c) || (*c == '.' && c > image))
            faas_buf_append_c(&b, *c);
        else
            faas_buf_printf(&b, "%%%02X", (unsigned char)*c);
    }
    if (b.len > REF_NAME_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "image name is too long");
    *path = faas_asprintf("%s/images/refs/%s", state_dir, b.data);
    return 0;
}

int local_image_set_ref(const char *state_dir, const struct faas_image *image,
                        struct faas_error *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_json_ json_t *j = json_object();
    _cleanup_buf_ struct faas_buf text = {0};
    char created[40];

    if (ref_path(state_dir, image->name, &path, err) < 0)
        return -1;
    faas_format_time_go(image->created_ns, created);
    json_object_set_new(j, "name", json_string(image->name));
    json_object_set_new(j, "digest", json_string(image->digest));
    json_object_set_new(j, "bytes", json_integer((json_int_t)image->bytes));
    json_object_set_new(j, "createdAt", json_string(created));
    faas_json_write(&text, j, 2);
    if (faas_file_replace(path, faas_buf_str(&text), 0600, err) < 0)
        return local_disk_failed(err);
    return 0;
}

static int parse_ref(struct faas_str text, struct faas_image *out, struct faas_error *err)
{
    _cleanup_json_ json_t *j = faas_json_parse(text, err);
    _cleanup_free_ char *created = NULL;

    if (!j || faas_json_get_string(j, "name", &out->name, err) < 0 ||
        faas_json_get_string(j, "digest", &out->digest, err) < 0 ||
        faas_json_get_u64(j, "bytes", &out->bytes, err) < 0 ||
        faas_json_get_string(j, "createdAt", &created, err) < 0)
        return -1;
    if (!out->name || !out->digest || !local_digest_valid(out->digest))
        return faas_fail(err, FAAS_ERR_INVALID, "name or digest is missing");
    if (created && faas_parse_time(created, &out->created_ns) < 0)
        out->created_ns = 0;
    return 0;
}

static int read_ref(const char *path, struct faas_image *out, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};

    if (faas_file_read(path, REF_MAX, &text, err) < 0)
        return -1;
    if (parse_ref(faas_buf_str(&text), out, err) < 0) {
        faas_image_deinit(out);
        return faas_error_wrap(err, "%s", path);
    }
    return 0;
}

int local_image_get(const char *state_dir, const char *image, struct faas_image *out,
                    struct faas_error *err)
{
    _cleanup_free_ char *name = local_image_full_name(image);
    _cleanup_free_ char *path = NULL;

    if (ref_path(state_dir, name, &path, err) < 0)
        return -1;
    if (!faas_file_exists(path))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no image is named \"%s\"", name);
    return read_ref(path, out, err);
}

struct listing {
    const char *state_dir;
    struct faas_image *items;
    size_t n;
};

static int list_one(void *arg, const char *file)
{
    struct listing *l = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/images/refs/%s", l->state_dir, file);
    struct faas_image image = {0};

    if (file[0] == '.' || read_ref(path, &image, NULL) < 0)
        return 0;
    l->items = faas_reallocarray(l->items, l->n + 1, sizeof(*l->items));
    l->items[l->n++] = image;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct faas_image *)a)->name, ((const struct faas_image *)b)->name);
}

int local_image_list(const char *state_dir, struct faas_image **out, size_t *n,
                     struct faas_error *err)
{
    _cleanup_free_ char *refs = images_path(state_dir, "refs");
    struct listing l = {.state_dir = state_dir};

    if (local_each_name(refs, list_one, &l, err) < 0)
        return -1;
    if (l.n > 1)
        qsort(l.items, l.n, sizeof(*l.items), by_name);
    *out = l.items;
    *n = l.n;
    return 0;
}

int local_image_remove_ref(const char *state_dir, const char *image, struct faas_error *err)
{
    _cleanup_free_ char *name = local_image_full_name(image);
    _cleanup_free_ char *path = NULL;

    if (ref_path(state_dir, name, &path, err) < 0)
        return -1;
    if (!faas_file_exists(path))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no image is named \"%s\"", name);
    if (local_remove_file(path, err) < 0)
        return local_disk_failed(err);
    return 0;
}

struct collection {
    const char *state_dir;
    struct faas_strv keep; /* digests */
};

static int collect_one(void *arg, const char *hex)
{
    const struct collection *c = arg;
    _cleanup_free_ char *digest = faas_asprintf("sha256:%s", hex);
    _cleanup_free_ char *path = local_image_blob_path(c->state_dir, digest);

    if (!faas_strv_has(&c->keep, digest))
        (void)local_trash_move(c->state_dir, path);
    return 0;
}

/* A ref that cannot be read may name anything, so then nothing is collected. */
static int keep_ref(void *arg, const char *file)
{
    struct collection *c = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/images/refs/%s", c->state_dir, file);
    struct faas_image image = {0};

    if (file[0] == '.')
        return 0;
    if (read_ref(path, &image, NULL) < 0)
        return -1;
    faas_strv_add(&c->keep, image.digest);
    faas_image_deinit(&image);
    return 0;
}

void local_image_collect(const char *state_dir, const struct faas_strv *in_use)
{
    _cleanup_free_ char *refs = images_path(state_dir, "refs");
    _cleanup_free_ char *blobs = images_path(state_dir, "blobs");
    struct collection c = {.state_dir = state_dir};

    faas_strv_copy(&c.keep, in_use);
    if (local_each_name(refs, keep_ref, &c, NULL) == 0)
        (void)local_each_name(blobs, collect_one, &c, NULL);
    faas_strv_deinit(&c.keep);
}
