#include "cli/commands.h"

#include "cli/bundle.h"
#include "cli/cmd_push.h"
#include "cli/context.h"
#include "cli/image.h"
#include "cli/out.h"
#include "cli/workers.h"

const struct cli_flag cli_push_flags[] = {
    CLI_ROW_BUILDER(struct cli_push_options),
    CLI_ROW_PARALLEL(struct cli_push_options),
    CLI_ROW_TAG(struct cli_push_options),
    CLI_ROW_QUIET(struct cli_push_options, "do not tell how sending goes"),
    CLI_ROW_ENVSUBST(struct cli_push_options),
    {0},
};

struct push {
    const struct cli_push_options *options;
    const struct cli_builder *builder;
    const struct cli_client *client;
    const struct cli_stack *stack;
};

/* A tag that git cannot tell is no reason not to send what was built without one. */
static char *image_name(const struct push *p, const struct cli_function *fn, struct faas_error *err)
{
    struct faas_error why = {0};
    char *image = cli_image_name(fn->image, p->options->tag, fn->handler, &why);

    if (image)
        return image;
    cli_log("[%s] --tag %s: %s; taking the image's own tag", fn->name, p->options->tag, why.msg);
    return cli_image_name(fn->image, NULL, fn->handler, err);
}

static int push_function(const struct push *p, const struct cli_function *fn, size_t worker,
                         struct faas_error *err)
{
    _cleanup_free_ char *dir = cli_context_dir(fn->name);
    _cleanup_free_ char *image = image_name(p, fn, err);
    const struct cli_push_job job = {
        .dir = dir, .image = image, .quiet = p->options->quiet, .client = p->client};

    if (!image)
        return -1;
    cli_paint(stdout, CLI_YELLOW, "[%zu] > Pushing %s [%s]\n", worker, fn->name, image);
    if (p->builder->push(p->builder, &job, err) < 0)
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

static void worker_done(void *arg, size_t worker)
{
    (void)arg;
    cli_paint(stdout, CLI_YELLOW, "[%zu] Worker done.\n", worker);
}

static void add_name(struct faas_buf *names, const char *name)
{
    faas_buf_printf(names, "%s%s", names->len ? ", " : "", name);
}

/* What is wrong with one, before anything is sent: it goes to the list it belongs to. */
static void check_function(const struct push *p, const struct cli_function *fn,
                           struct faas_buf *unbuilt, struct faas_buf *nowhere)
{
    _cleanup_free_ char *dir = cli_context_dir(fn->name);

    if (p->builder->for_gateway && !cli_bundle_is_complete(dir))
        add_name(unbuilt, fn->name);
    if (!p->builder->for_gateway && !strchr(fn->image, '/'))
        faas_buf_printf(nowhere, "\n- %s: %s", fn->name, fn->image);
}

/* Nothing is sent unless everything can be. */
static int check_all(const struct push *p, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf unbuilt = {0};
    _cleanup_buf_ struct faas_buf nowhere = {0};

    for (size_t i = 0; i < p->stack->n_functions; i++) {
        const struct cli_function *fn = &p->stack->functions[i];

        if (fn->skip_build)
            continue;
        if (!fn->image)
            return faas_fail(err, FAAS_ERR_INVALID, "function %s has no image", fn->name);
        check_function(p, fn, &unbuilt, &nowhere);
    }
    if (unbuilt.len)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "not built, or not to the end: %s. Run faas-cli build first",
                         unbuilt.data);
    if (!nowhere.len)
        return 0;
    cli_note(
        "These images can be pushed nowhere, because their names begin with no registry or "
        "account:%s\nName them like ghcr.io/you/function:latest or you/function:latest, or use "
        "--skip-push when the cluster reads this machine's images.\n",
        nowhere.data);
    return cli_fail_told(err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_push_options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    struct push push = {.options = o, .client = &client, .stack = &stack};

    if (o->parallel < 1)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --parallel: must be 1 or more");
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    if (stack.n_functions == 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is nothing to push: no function in a stack file (see --yaml)");
    push.builder = cli_builder_choose(o->builder, &o->connect, &stack, err);
    if (!push.builder || check_all(&push, err) < 0)
        return -1;
    if (push.builder->for_gateway) {
        if (cli_client_open(&client, &o->connect, &stack, err) < 0)
            return -1;
        cli_warn_if_exposed(&o->connect, client.gateway);
    }
    if (!cli_workers_run(&(struct cli_workers){.parallel = (size_t)o->parallel,
                                               .n_jobs = stack.n_functions,
                                               .job = push_job,
                                               .done = worker_done,
                                               .arg = &push}))
        return cli_fail_told(err);
    if (cli->command == &cli_cmd_push) /* up goes on by itself */
        cli_hint("\nNext: faas-cli deploy\n");
    return 0;
}

const struct cli_command cli_cmd_push = {
    .name = "push",
    .summary = "Send built functions to where the gateway finds them",
    .description =
        "Sends what faas-cli build made: bundles to the gateway's image store, for which "
        "no registry is needed, and container images to the registry that their names "
        "begin with.",
    .example = "faas-cli push\n"
               "faas-cli push -f stack.yml --parallel 4 --gateway https://faas.example.com",
    .options_size = sizeof(struct cli_push_options),
    .flags = {{cli_gateway_flags, offsetof(struct cli_push_options, connect)},
              {cli_token_flags, offsetof(struct cli_push_options, connect)},
              {cli_push_flags, 0}},
    .run = run,
};
