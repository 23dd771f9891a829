#include "cli/commands.h"

#include "cli/bundle.h"
#include "cli/client.h"
#include "cli/cmd_push.h"
#include "cli/context.h"
#include "cli/image.h"
#include "cli/out.h"
#include "cli/workers.h"
#include "libfaas/alloc.h"
#include "libfaas/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

const struct cli_flag cli_push_flags[] = {
    CLI_ROW_PARALLEL(struct cli_push_options),
    CLI_ROW_TAG(struct cli_push_options),
    CLI_ROW_QUIET(struct cli_push_options, "do not tell sizes and digests"),
    CLI_ROW_ENVSUBST(struct cli_push_options),
    {0},
};

struct push {
    const struct cli_push_options *options;
    const struct cli_client *client;
    const struct cli_stack *stack;
};

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
                         "the gateway at %s takes no bundles: its provider runs container images, "
                         "and building those is not part of this version of faas-cli",
                         c->gateway);
    return cli_client_refuse(c, resp, err);
}

static void tell_stored(const struct push *p, const char *image, const struct faas_fetch_resp *resp,
                        uint64_t size)
{
    _cleanup_json_ json_t *stored = faas_json_parse(faas_buf_str(&resp->body), NULL);
    _cleanup_free_ char *digest = NULL;

    if (p->options->quiet)
        return;
    if (stored && faas_json_get_string(stored, "digest", &digest, NULL) == 0 && digest)
        cli_print("%s: digest: %s size: %.1f kB\n", image, digest, (double)size / 1000);
}

static int push_image(const struct push *p, const char *image, const char *dir,
                      struct faas_error *err)
{
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    uint64_t size = 0;
    _cleanup_close_ int fd = pack(dir, &size, err);
    const struct cli_call call = {.method = "PUT",
                                  .path = "/system/images",
                                  .query = &query,
                                  .body_fd = fd,
                                  .content_type = "application/x-tar",
                                  .timeout_ms = CLI_NO_TIMEOUT};

    if (fd < 0)
        return -1;
    faas_map_set(&query, "name", image);
    if (cli_client_call(p->client, &call, &resp, err) < 0)
        return -1;
    if (resp.status < 200 || resp.status > 202)
        return refuse(p->client, &resp, err);
    tell_stored(p, image, &resp, size);
    return 0;
}

static int push_function(const struct push *p, const struct cli_function *fn, size_t worker,
                         struct faas_error *err)
{
    _cleanup_free_ char *dir = cli_context_dir(fn->name);
    _cleanup_free_ char *image = cli_image_name(fn->image, p->options->tag, fn->handler, err);

    if (!image)
        return -1;
    cli_paint(stdout, CLI_YELLOW, "[%zu] > Pushing %s [%s]\n", worker, fn->name, image);
    if (push_image(p, image, dir, err) < 0)
        return -1;
    cli_paint(stdout, CLI_YELLOW, "[%zu] < Pushing %s [%s] done.\n", worker, fn->name, image);
    return 0;
}

static bool push_job(void *arg, size_t worker, size_t index)
{
    const struct push *p = arg;
    const struct cli_function *fn = &p->stack->functions[index];
    struct faas_error err = {0};

    if (fn->skip_build) {
        cli_print("Skipping %s\n", fn->name);
        return true;
    }
    if (push_function(p, fn, worker, &err) == 0)
        return true;
    if (*err.msg)
        cli_paint(stderr, CLI_RED, "[%s] %s\n", fn->name, err.msg);
    return false;
}

/* Nothing is sent unless everything can be. */
static int check_all(const struct cli_stack *stack, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf missing = {0};

    if (stack->n_functions == 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is nothing to push: no function in a stack file (see --yaml)");
    for (size_t i = 0; i < stack->n_functions; i++) {
        const struct cli_function *fn = &stack->functions[i];
        _cleanup_free_ char *dir = cli_context_dir(fn->name);

        if (fn->skip_build)
            continue;
        if (!fn->image)
            return faas_fail(err, FAAS_ERR_INVALID, "function %s has no image", fn->name);
        if (!cli_bundle_is_complete(dir))
            faas_buf_printf(&missing, "%s%s", missing.len ? ", " : "", fn->name);
    }
    return missing.len ? faas_fail(err, FAAS_ERR_INVALID,
                                   "not built, or not to the end: %s. Run faas-cli build first",
                                   missing.data)
                       : 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_push_options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    struct push push = {.options = o, .client = &client, .stack = &stack};

    if (o->parallel < 1)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --parallel: must be 1 or more");
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 || check_all(&stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    cli_warn_if_exposed(&o->connect, client.gateway);
    if (!cli_workers_run(&(struct cli_workers){.parallel = (size_t)o->parallel,
                                               .n_jobs = stack.n_functions,
                                               .job = push_job,
                                               .arg = &push}))
        return cli_fail_told(err);
    return 0;
}

const struct cli_command cli_cmd_push = {
    .name = "push",
    .summary = "Send built functions to the gateway",
    .description = "Sends the bundles in ./build to the gateway's image store, each under its "
                   "function's image name. No registry is needed.",
    .example = "faas-cli push\n"
               "faas-cli push -f stack.yml --parallel 4 --gateway https://faas.example.com",
    .options_size = sizeof(struct cli_push_options),
    .flags = {{cli_gateway_flags, offsetof(struct cli_push_options, connect)},
              {cli_token_flags, offsetof(struct cli_push_options, connect)},
              {cli_push_flags, 0}},
    .run = run,
};
