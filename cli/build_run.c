/* From a stack file and flags to images of all its functions. */
#include "cli/build.h"

#include "cli/image.h"
#include "cli/out.h"
#include "cli/template_ensure.h"
#include "cli/workers.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#include <pthread.h>

/* A build under way: errors are collected, so that every function is tried. */
struct progress {
    const struct cli_build *build;
    pthread_mutex_t lock; /* of errors */
    struct faas_strv errors;
};

static void build_one(struct progress *p, const struct cli_function *fn, size_t worker)
{
    struct faas_error err = {0};

    if (cli_build_function(p->build, fn, worker, &err) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    faas_strv_addf(&p->errors, "[%s] %s", fn->name, err.msg);
    pthread_mutex_unlock(&p->lock);
}

static bool build_job(void *arg, size_t worker, size_t index)
{
    struct progress *p = arg;
    const struct cli_function *fn = &p->build->stack->functions[index];
    struct cli_progress *live = p->build->progress;
    int64_t start_ms = faas_now_ms(&faas_system_clock);

    if (fn->skip_build) {
        cli_print("Skipping build of: %s.\n", fn->name);
        return true;
    }
    if (!fn->lang) {
        cli_print("Please provide a valid language for function %s: it has no lang.\n", fn->name);
        return true;
    }
    if (!live)
        cli_paint(stdout, CLI_YELLOW, "[%zu] > Building %s.\n", worker, fn->name);
    cli_progress_begin(live, worker, fn->name);
    build_one(p, fn, worker);
    cli_progress_end(live, worker);
    cli_paint(stdout, CLI_YELLOW, "[%zu] < Building %s done in %.2fs.\n", worker, fn->name,
              (double)(faas_now_ms(&faas_system_clock) - start_ms) / 1000);
    return true;
}

static int tell_errors(const struct faas_strv *errors, struct faas_error *err)
{
    if (errors->len == 0)
        return 0;
    cli_paint(stderr, CLI_RED, "Errors received during build:\n");
    faas_strv_for_each(errors, text) cli_paint(stderr, CLI_RED, "- %s\n", *text);
    return cli_fail_told(err);
}

static void worker_done(void *arg, size_t worker)
{
    const struct progress *p = arg;

    if (!p->build->progress)
        cli_paint(stdout, CLI_YELLOW, "[%zu] Worker done.\n", worker);
}

static int build_all(struct cli_build *b, struct faas_error *err)
{
    struct progress p = {.build = b, .lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t start_ms = faas_now_ms(&faas_system_clock);
    int rc;

    b->n_workers = FAAS_MIN((size_t)b->options->parallel, b->stack->n_functions);
    b->progress = b->n_workers > 1 && !b->options->quiet ? cli_progress_new(b->n_workers) : NULL;
    cli_workers_run(&(struct cli_workers){.parallel = b->n_workers,
                                          .n_jobs = b->stack->n_functions,
                                          .job = build_job,
                                          .done = worker_done,
                                          .arg = &p});
    cli_progress_free(b->progress);
    b->progress = NULL;
    cli_paint(stdout, CLI_YELLOW, "\nTotal build time: %.2fs\n",
              (double)(faas_now_ms(&faas_system_clock) - start_ms) / 1000);
    rc = tell_errors(&p.errors, err);
    faas_strv_deinit(&p.errors);
    return rc;
}

/* Before the workers start, so that no two fetch the same. */
static int ensure_templates(const struct cli_build_options *o, const struct cli_stack *stack,
                            struct faas_error *err)
{
    const struct cli_template_origin from = {.stack = o->disable_stack_pull ? NULL : stack,
                                             .overwrite = o->overwrite,
                                             .debug = o->debug};

    for (size_t i = 0; i < stack->n_functions; i++) {
        const struct cli_function *fn = &stack->functions[i];

        if (fn->skip_build || !fn->lang || cli_is_dockerfile(fn->lang))
            continue;
        if (cli_template_ensure(fn->lang, &from, err) < 0)
            return faas_error_wrap(err, "function %s", fn->name);
    }
    return 0;
}

/* Without functions in a stack file, the flags are one. */
static int function_from_flags(const struct cli_build_options *o, struct cli_stack *stack,
                               struct faas_error *err)
{
    if (!o->image)
        return faas_fail(err, FAAS_ERR_INVALID, "there is no stack file, so give an --image");
    if (!o->handler)
        return faas_fail(err, FAAS_ERR_INVALID, "there is no stack file, so give a --handler");
    if (!o->name)
        return faas_fail(err, FAAS_ERR_INVALID, "there is no stack file, so give a --name");
    if (!o->lang)
        return faas_fail(err, FAAS_ERR_INVALID, "there is no stack file, so give a --lang");
    stack->functions = faas_new(struct cli_function);
    stack->functions[stack->n_functions++] = (struct cli_function){
        .name = o->name, .image = o->image, .handler = o->handler, .lang = o->lang};
    return 0;
}

/* Users may expect otherwise, scripts rely upon it. */
static void tell_unused_flags(const struct cli_build_options *o, const struct cli_stack *stack)
{
    if (stack->n_functions > 0 && (o->image || o->handler || o->name || o->lang))
        cli_note("The functions of %s are built; --image, --handler, --name and --lang are for use "
                 "without one.\n",
                 stack->file);
}

static void collect_copies(struct faas_strv *into, const struct cli_build_options *o,
                           const struct cli_stack *stack)
{
    faas_strv_copy(into, &o->copy_extra);
    faas_strv_for_each(&stack->copy, path) if (!faas_strv_has(into, *path))
        faas_strv_add(into, *path);
}

/* What --platforms asks for has to be this machine when nothing else can be made. */
static int check_platforms(const struct cli_publish_options *publish, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(publish->platforms ? publish->platforms : "");
    const char *here = cli_platform();

    if (rest.len == 0)
        return 0;
    while (rest.ptr)
        if (faas_str_eqz(faas_str_trim(faas_str_split(&rest, ',')), here))
            return 0;
    return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                     "--platforms %s: bundles are for the machine that makes them (%s); other "
                     "platforms need --builder docker, podman or buildah",
                     publish->platforms, here);
}

static int prepare_builder(struct cli_build *b, struct cli_client *client, struct faas_error *err)
{
    const struct cli_build_options *o = b->options;

    if (o->shrinkwrap)
        return 0;
    b->builder = cli_builder_choose(o->builder, &o->connect, b->stack, err);
    if (!b->builder || !b->publish)
        return b->builder ? 0 : -1;
    if (b->builder->publish)
        return b->builder->prepare(b->builder, b->publish->reset_qemu, err);
    if (check_platforms(b->publish, err) < 0 ||
        cli_client_open(client, &o->connect, b->stack, err) < 0)
        return -1;
    b->client = client;
    return 0;
}

int cli_build_run(const struct cli *cli, const struct cli_build_options *o,
                  const struct cli_publish_options *publish, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    struct cli_build build = {.options = o, .publish = publish, .stack = &stack};
    int rc;

    if (o->parallel < 1)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --parallel: must be 1 or more");
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    tell_unused_flags(o, &stack);
    if (stack.n_functions == 0 && function_from_flags(o, &stack, err) < 0)
        return -1;
    if (ensure_templates(o, &stack, err) < 0 || prepare_builder(&build, &client, err) < 0)
        return -1;
    collect_copies(&build.copy, o, &stack);
    rc = build_all(&build, err);
    faas_strv_deinit(&build.copy);
    return rc;
}
