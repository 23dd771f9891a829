/* Sending a bundle to the gateway's image store. */
#include "cli/bundle.h"

#include "cli/out.h"
#include "libfaas/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The bundle as a tar in a file without a name. */
static int pack(const char *dir, uint64_t *size, struct faas_error *err)
{
    _cleanup_close_ int fd = open("build", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char fallback[] = "build/.push-XXXXXX";
    struct stat st;

    if (fd < 0) { /* not every file system can do that */
        fd = mkostemp(fallback, O_CLOEXEC);
        if (fd >= 0)
            unlink(fallback);
    }
    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "temporary file in ./build");
    if (faas_tar_create(dir, fd, err) < 0)
        return faas_error_wrap(err, "cannot pack %s", dir);
    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "temporary file in ./build");
    *size = (uint64_t)st.st_size;
    return faas_steal_fd(&fd);
}

static int refuse(const struct cli_client *c, const struct faas_fetch_resp *resp,
                  struct faas_error *err)
{
    if (resp->status == 501 || resp->status == 404 || resp->status == 405)
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "the gateway at %s takes no bundles: its provider runs container images "
                         "(--builder docker, podman or buildah)",
                         c->gateway);
    return cli_client_refuse(c, resp, err);
}

static void tell_stored(const struct cli_push_job *job, const struct faas_fetch_resp *resp,
                        uint64_t size)
{
    _cleanup_json_ json_t *stored = faas_json_parse(faas_buf_str(&resp->body), NULL);
    _cleanup_free_ char *digest = NULL;

    if (job->quiet)
        return;
    if (stored && faas_json_get_string(stored, "digest", &digest, NULL) == 0 && digest)
        cli_print("%s: digest: %s size: %.1f kB\n", job->image, digest, (double)size / 1000);
}

int cli_bundle_push(const struct cli_builder *b, const struct cli_push_job *job,
                    struct faas_error *err)
{
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    uint64_t size = 0;
    _cleanup_close_ int fd = pack(job->dir, &size, err);
    const struct cli_call call = {.method = "PUT",
                                  .path = "/system/images",
                                  .query = &query,
                                  .body_fd = fd,
                                  .content_type = "application/x-tar",
                                  .timeout_ms = CLI_NO_TIMEOUT};

    (void)b;
    if (fd < 0)
        return -1;
    faas_map_set(&query, "name", job->image);
    if (cli_client_call(job->client, &call, &resp, err) < 0)
        return -1;
    if (resp.status < 200 || resp.status > 202)
        return refuse(job->client, &resp, err);
    tell_stored(job, &resp, size);
    return 0;
}
