#include "cli/commands.h"

#include "cli/build.h"
#include "cli/bundle.h"
#include "cli/context.h"
#include "cli/image.h"
#include "cli/local_run.h"
#include "cli/out.h"
#include "cli/run.h"
#include "cli/service.h"
#include "cli/watch.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/net.h"

#include <errno.h>
#include <limits.h>

struct options {
    struct cli_build_options build;
    bool print;
    bool build_first;
    int64_t port;
    char *network;
    struct faas_strv environment;
    bool watch;
};

static const struct cli_flag flags[] = {
    {.name = "print",
     .type = CLI_BOOL,
     .at = offsetof(struct options, print),
     .help = "show the command instead of running it"},
    {.name = "build",
     .type = CLI_BOOL,
     .at = offsetof(struct options, build_first),
     .dflt = "true",
     .help = "build the function first"},
    {.name = "port",
     .letter = 'p',
     .type = CLI_INT,
     .at = offsetof(struct options, port),
     .dflt = "8080",
     .arg = "PORT",
     .help = "port to listen on, 0 for any that is free"},
    {.name = "network",
     .type = CLI_STRING,
     .at = offsetof(struct options, network),
     .arg = "NAME",
     .help = "network of the container"},
    {.name = "env",
     .letter = 'e',
     .type = CLI_LIST,
     .at = offsetof(struct options, environment),
     .arg = "KEY=VALUE,...",
     .help = "environment variables, with commas between them"},
    {.name = "watch",
     .type = CLI_BOOL,
     .at = offsetof(struct options, watch),
     .help = "build and start it again whenever its handler or the stack file changes"},
    {0},
};

/* What lives from one start to the next while watching. */
struct session {
    struct options *options;
    const char *name;
    unsigned port;
    int listener; /* for a bundle, which inherits it; -1: none */
    struct cli_service service;
    const struct cli_builder *builder; /* of the container, if there is one */
    char *container;
};

static int check_secrets(const struct cli_function *fn, struct faas_error *err)
{
    if (fn->secrets.len > 0 && faas_mkdirs(".secrets", 0700, err) < 0)
        return -1;
    faas_strv_for_each(&fn->secrets, name)
    {
        _cleanup_free_ char *file = faas_asprintf(".secrets/%s", *name);

        if (!faas_file_exists(file))
            return faas_fail(err, FAAS_ERR_NOT_FOUND,
                             "function %s wants the secret %s: put its value into ./%s", fn->name,
                             *name, file);
    }
    return 0;
}

/* fwatchdog lies beside us, or in PATH. Heap. */
static char *find_watchdog(struct faas_error *err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    _cleanup_free_ char *beside = NULL;

    if (n > 0) {
        self[n] = '\0';
        beside = faas_asprintf("%.*s/fwatchdog", (int)(strrchr(self, '/') - self), self);
        if (access(beside, X_OK) == 0)
            return faas_steal_ptr(&beside);
    }
    return faas_find_executable("fwatchdog", getenv("PATH"), err);
}

static void start_environment(struct faas_map *out)
{
    const char *tmp = getenv("TMPDIR");

    faas_map_set(out, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    faas_map_set(out, "LANG", "C.UTF-8");
    faas_map_set(out, "HOME", tmp ? tmp : "/tmp");
    faas_map_set(out, "TMPDIR", tmp ? tmp : "/tmp");
    faas_map_set(out, "metrics_port", "0");
    faas_map_set(out, "suppress_lock", "true");
    /* Nobody is still to be told that it goes: it may go at once. */
    faas_map_set(out, "healthcheck_interval", "0s");
}

/* A bundle's environment: what the local provider sets, what the manifest says, what the function
 * asks for. */
static int bundle_environment(const struct cli_local_run *r, const char *dir, struct faas_map *out,
                              struct faas_error *err)
{
    _cleanup_map_ struct faas_map asked = {0};
    _cleanup_free_ char *fprocess = NULL;
    char secrets[PATH_MAX];

    faas_map_copy(&asked, &r->environment);
    if (cli_bundle_read(dir, &fprocess, &asked, err) < 0)
        return -1;
    start_environment(out);
    if (fprocess)
        faas_map_set(out, "fprocess", fprocess);
    if (r->fn->secrets.len > 0 && realpath(".secrets", secrets))
        faas_map_set(out, "secret_mount_path", secrets);
    faas_map_merge(out, &asked);
    if (r->fn->fprocess)
        faas_map_set(out, "fprocess", r->fn->fprocess);
    return 0;
}

static void print_words(const struct faas_strv *argv)
{
    _cleanup_buf_ struct faas_buf line = {0};

    for (size_t i = 0; i < argv->len; i++) {
        faas_buf_append_z(&line, i ? " " : "");
        cli_shell_append(&line, argv->items[i]);
    }
    cli_print("%s\n", line.data);
}

static void print_bundle(const char *watchdog, const char *dir, unsigned port,
                         const struct faas_map *environment)
{
    _cleanup_strv_ struct faas_strv argv = {0};

    faas_strv_add(&argv, "env");
    faas_strv_add(&argv, "-C");
    faas_strv_add(&argv, dir);
    faas_map_for_each (environment, e) {
        faas_strv_addf(&argv, "%s=%s", e->key, e->value);
    }
    faas_strv_addf(&argv, "port=%u", port);
    faas_strv_add(&argv, watchdog);
    print_words(&argv);
}

static int start_bundle(struct session *s, const struct cli_local_run *r, struct faas_error *err)
{
    _cleanup_free_ char *dir = cli_context_dir(r->fn->name);
    _cleanup_free_ char *watchdog = find_watchdog(err);
    _cleanup_map_ struct faas_map environment = {0};

    if (!watchdog || bundle_environment(r, dir, &environment, err) < 0)
        return -1;
    if (s->options->print) {
        print_bundle(watchdog, dir, r->port, &environment);
        return 0;
    }
    faas_map_set(&environment, "LISTEN_FDS", "1");
    cli_print("Starting local-run for: %s on: http://127.0.0.1:%u\n\n", r->fn->name, r->port);
    return cli_service_start(&s->service,
                             &(struct cli_service_start){.argv = (char *[]){watchdog, NULL},
                                                         .environment = &environment,
                                                         .cwd = dir,
                                                         .listener = s->listener},
                             err);
}

/* There may be none. Removing ends it at once, where a signal would be waited out. */
static void remove_container(void *arg)
{
    const struct session *s = arg;
    char *argv[] = {(char *)s->builder->program, "rm", "-f", s->container, NULL};
    const struct cli_run run = {
        .argv = argv, .with_stderr = true, .uninterrupted = true, .line = cli_drop_line};
    int status;

    (void)!cli_run(&run, &status, NULL);
}

static int find_process(const struct cli_function *fn, char **out, struct faas_error *err)
{
    _cleanup_template_ struct cli_template t = {0};

    if (fn->fprocess)
        *out = faas_strdup(fn->fprocess);
    if (fn->fprocess || !fn->lang || cli_is_dockerfile(fn->lang) || !cli_template_exists(fn->lang))
        return 0;
    if (cli_template_load(&t, fn->lang, err) < 0)
        return -1;
    if (t.fprocess)
        *out = faas_strdup(t.fprocess);
    return 0;
}

static int start_container(struct session *s, struct cli_local_run *r, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};
    _cleanup_free_ char *fprocess = NULL;

    if (!r->builder->runs_images)
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "%s builds images but runs none: use --builder docker or podman",
                         r->builder->name);
    if (find_process(r->fn, &fprocess, err) < 0)
        return -1;
    r->fprocess = fprocess;
    if (cli_local_run_argv(r, &argv, err) < 0)
        return -1;
    if (s->options->print) {
        print_words(&argv);
        return 0;
    }
    free(s->container);
    s->container = faas_strdup(r->fn->name);
    s->builder = r->builder;
    remove_container(s); /* an earlier run may have left it */
    cli_print("Starting local-run for: %s on: http://0.0.0.0:%u\n\n", r->fn->name, r->port);
    return cli_service_start(
        &s->service,
        &(struct cli_service_start){
            .argv = argv.items, .listener = -1, .before_stop = remove_container, .arg = s},
        err);
}

/* A port that was free a moment ago; for bundles the socket itself. */
static int take_port(struct session *s, const struct cli_builder *b, struct faas_error *err)
{
    _cleanup_close_ int fd = -1;

    if (s->port != 0 || s->options->print) {
        s->port = s->port ? s->port : (unsigned)s->options->port;
        return 0;
    }
    if (b->program && s->options->port != 0) {
        s->port = (unsigned)s->options->port;
        return 0;
    }
    fd = faas_listen("127.0.0.1", (unsigned)s->options->port, 0, false, err);
    if (fd < 0)
        return -1;
    s->port = faas_socket_port(fd);
    if (!b->program)
        s->listener = faas_steal_fd(&fd);
    return 0;
}

static int start_function(struct session *s, const struct cli_function *fn,
                          const struct cli_stack *stack, struct faas_error *err)
{
    const struct options *o = s->options;
    struct cli_local_run r = {.fn = fn, .network = o->network};
    _cleanup_free_ char *image = cli_image_name(fn->image, o->build.tag, fn->handler, err);
    _cleanup_map_ struct faas_map extra = {0};
    int rc;

    r.builder = cli_builder_choose(o->build.builder, &o->build.connect, stack, err);
    if (!image || !r.builder || take_port(s, r.builder, err) < 0 ||
        cli_local_run_pairs(&o->environment, &extra, err) < 0 ||
        (!o->print && check_secrets(fn, err) < 0))
        return -1;
    r.image = image;
    r.port = s->port;
    cli_print("Image: %s\n", image);
    rc = cli_local_run_environment(fn, &extra, &r.environment, err);
    if (rc == 0)
        rc = r.builder->program ? start_container(s, &r, err) : start_bundle(s, &r, err);
    faas_map_deinit(&r.environment);
    return rc;
}

/* The one that is asked for, or the only one there is. */
static const struct cli_function *pick(const struct cli_stack *stack, const char *name,
                                       struct faas_error *err)
{
    const struct cli_function *fn = name ? cli_stack_find(stack, name) : stack->functions;

    if (name && !fn)
        faas_fail(err, FAAS_ERR_NOT_FOUND, "%s: there is no function \"%s\"",
                  stack->file ? stack->file : "no stack file", name);
    else if (!name && stack->n_functions != 1)
        faas_fail(err, FAAS_ERR_INVALID, "there are %zu functions: give the NAME of one",
                  stack->n_functions);
    else if (fn->image)
        return fn;
    else
        faas_fail(err, FAAS_ERR_INVALID, "function %s has no image", fn->name);
    return NULL;
}

static int start(struct cli *cli, void *arg, struct faas_error *err)
{
    struct session *s = arg;
    _cleanup_stack_ struct cli_stack stack = {0};
    const struct cli_function *fn;

    faas_strv_deinit(&cli->only); /* what has changed is the one, or the stack file */
    if (s->name)
        faas_strv_add(&cli->only, s->name);
    if (cli_load_stack(cli, true, &stack, err) < 0)
        return -1;
    fn = pick(&stack, s->name, err);
    if (!fn)
        return -1;
    if (s->options->build_first && cli_build_run(cli, &s->options->build, NULL, err) < 0)
        return -1;
    cli_service_stop(&s->service);
    return start_function(s, fn, &stack, err);
}

/* One builder for building and running, asked for once, when it is known that there is something to
 * build. */
static int fix_builder(struct cli *cli, struct options *o, const char *name, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack stack = {0};
    const struct cli_builder *b;

    if (cli_load_stack(cli, true, &stack, err) < 0 || !pick(&stack, name, err))
        return -1;
    b = cli_builder_choose(o->build.builder, &o->build.connect, &stack, err);
    if (!b)
        return -1;
    free(o->build.builder);
    o->build.builder = faas_strdup(b->name);
    return 0;
}

static int run_session(struct cli *cli, struct session *s, struct faas_error *err)
{
    /* What others do is not watched. */
    if (s->name && !cli->filter && !cli->regex)
        cli->filter = faas_strdup(s->name);
    if (s->options->watch && !s->options->print)
        return cli_watch_run(cli, true, start, s, err);
    if (start(cli, s, err) < 0)
        return -1;
    return s->options->print ? 0 : cli_service_wait(&s->service, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    struct options *o = options;
    struct session s = {
        .options = o, .name = cli->args.len ? cli->args.items[0] : NULL, .listener = -1};
    int rc;

    if (o->port < 0 || o->port > 65535)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --port: must be between 0 and 65535");
    if (fix_builder(cli, o, s.name, err) < 0)
        return -1;
    rc = run_session(cli, &s, err);
    cli_service_stop(&s.service);
    free(s.container);
    if (s.listener >= 0)
        close(s.listener);
    return rc;
}

const struct cli_command cli_cmd_local_run = {
    .name = "local-run",
    .args = "[NAME]",
    .summary = "Build a function and run it here, without a gateway",
    .description =
        "Builds one function of the stack file and runs it on this machine until Ctrl-C: a bundle "
        "below fwatchdog, reachable from this machine only, or a container. Secrets are read from "
        "the files in ./.secrets.",
    .example = "faas-cli local-run hello --port 8081\n"
               "faas-cli local-run hello --watch --env debug=1,colour=blue",
    .max_args = 1,
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}, {cli_build_flags, offsetof(struct options, build)}},
    .run = run,
};
