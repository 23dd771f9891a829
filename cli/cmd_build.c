#include "cli/commands.h"

#include "cli/build.h"
#include "cli/out.h"
#include "cli/template_ensure.h"
#include "cli/workers.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#include <pthread.h>

const struct cli_flag cli_build_flags[] = {
    {.name = "image",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, image),
     .arg = "IMAGE",
     .help = "image to make, without a stack file"},
    {.name = "handler",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, handler),
     .arg = "FOLDER",
     .help = "folder of the handler, without a stack file"},
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, name),
     .arg = "NAME",
     .help = "name of the function, without a stack file"},
    {.name = "lang",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, lang),
     .arg = "TEMPLATE",
     .help = "language template, without a stack file"},
    CLI_ROW_PARALLEL(struct cli_build_options),
    {.name = "build-arg",
     .letter = 'b',
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, build_args),
     .arg = "KEY=VALUE",
     .help = "build argument; a bundle's recipe finds it in its environment"},
    {.name = "build-option",
     .letter = 'o',
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, build_option_names),
     .arg = "NAME",
     .help = "set of packages that the template knows by this name"},
    {.name = "copy-extra",
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, copy_extra),
     .arg = "PATH",
     .help = "file or folder of this project to copy into every function"},
    CLI_ROW_TAG(struct cli_build_options),
    {.name = "shrinkwrap",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, shrinkwrap),
     .help = "only assemble ./build/NAME"},
    {.name = "no-cache",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, no_cache),
     .help = "fetch and build everything anew"},
    CLI_ROW_QUIET(struct cli_build_options, "show the tools' output only when they fail"),
    CLI_ROW_ENVSUBST(struct cli_build_options),
    {.name = "build-label",
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_build_options, build_labels),
     .arg = "KEY=VALUE",
     .help = "label of the image (container builders only)"},
    {.name = "squash",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, squash),
     .help = "merge the image's layers (container builders only)"},
    {.name = "pull",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, pull),
     .help = "fetch newer base images (container builders only)"},
    {.name = "disable-stack-pull",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, disable_stack_pull),
     .help = "do not fetch the templates that the stack file names"},
    {.name = "overwrite",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, overwrite),
     .dflt = "true",
     .help = "fetched templates replace those that are here"},
    {.name = "debug",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, debug),
     .help = "keep what was fetched for templates"},
    {0},
};

/* A build under way: errors are collected, so that every function is tried. */
struct progress {
    const struct cli_build *build;
    pthread_mutex_t lock; /* of errors */
    struct faas_strv errors;
};

static void build_one(struct progress *p, const struct cli_function *fn)
{
    struct faas_error err = {0};

    if (cli_build_function(p->build, fn, &err) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    faas_strv_addf(&p->errors, "[%s] %s", fn->name, err.msg);
    pthread_mutex_unlock(&p->lock);
}

static bool build_job(void *arg, size_t worker, size_t index)
{
    struct progress *p = arg;
    const struct cli_function *fn = &p->build->stack->functions[index];
    int64_t start_ms = faas_now_ms(&faas_system_clock);

    if (fn->skip_build) {
        cli_print("Skipping build of: %s.\n", fn->name);
        return true;
    }
    if (!fn->lang) {
        cli_print("Please provide a valid language for function %s: it has no lang.\n", fn->name);
        return true;
    }
    cli_paint(stdout, CLI_YELLOW, "[%zu] > Building %s.\n", worker, fn->name);
    build_one(p, fn);
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

static int build_all(const struct cli_build *b, struct faas_error *err)
{
    struct progress p = {.build = b, .lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t start_ms = faas_now_ms(&faas_system_clock);
    int rc;

    cli_workers_run(&(struct cli_workers){.parallel = (size_t)b->options->parallel,
                                          .n_jobs = b->stack->n_functions,
                                          .job = build_job,
                                          .arg = &p});
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

static void collect_copies(struct faas_strv *into, const struct cli_build_options *o,
                           const struct cli_stack *stack)
{
    faas_strv_copy(into, &o->copy_extra);
    faas_strv_for_each(&stack->copy, path) if (!faas_strv_has(into, *path))
        faas_strv_add(into, *path);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_build_options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    struct cli_build build = {.options = o, .builder = cli_builders[0], .stack = &stack};
    int rc;

    if (o->parallel < 1)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --parallel: must be 1 or more");
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    if (stack.n_functions == 0 && function_from_flags(o, &stack, err) < 0)
        return -1;
    if (ensure_templates(o, &stack, err) < 0)
        return -1;
    collect_copies(&build.copy, o, &stack);
    rc = build_all(&build, err);
    faas_strv_deinit(&build.copy);
    return rc;
}

const struct cli_command cli_cmd_build = {
    .name = "build",
    .summary = "Build functions",
    .description =
        "Builds the functions of the stack file: for each, ./build/NAME is made of its template "
        "and its handler, and then turned into a bundle that faas-cli push sends to the gateway. "
        "A template that is not in ./template is taken from those that come with faas-cli.",
    .example = "faas-cli build\n"
               "faas-cli build -f stack.yml --filter 'api-*' --parallel 4\n"
               "faas-cli build --image hello:latest --handler ./hello --name hello --lang python3",
    .options_size = sizeof(struct cli_build_options),
    .flags = {{cli_build_flags, 0}},
    .run = run,
};
