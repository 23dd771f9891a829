/* What turns an assembled build/<function>/ into something a gateway can run, and what sends that
 * where the gateway finds it. */
#ifndef FAAS_CLI_BUILDER_H
#define FAAS_CLI_BUILDER_H

#include "cli/client.h"
#include "cli/stack.h"
#include "cli/template.h"

struct cli_build_job {
    const struct cli_function *fn;
    const struct cli_template *template_; /* NULL: the function brings a Dockerfile of its own */
    const char *dir;                      /* "build/hello" */
    const char *image;                    /* "hello:latest" */
    struct faas_map args;                 /* build arguments, ADDITIONAL_PACKAGE among them */
    struct faas_map secrets;              /* id to absolute path */
    const struct faas_map *labels;        /* may be NULL */
    bool no_cache;
    bool squash;
    bool pull;
    /* For publishing only: "linux/amd64,linux/arm64" (NULL: not said) and more names of the image.
     */
    const char *platforms;
    const struct faas_strv *extra_images;
    /* Gets what the tools say, line by line; NULL: they write to our stdout and stderr. */
    void (*line)(void *arg, struct faas_str line);
    void *arg;
};

struct cli_push_job {
    const char *dir;   /* "build/hello" */
    const char *image; /* "hello:latest" */
    bool quiet;
    const struct cli_client *client; /* of the gateway, for builders that send to it */
};

struct cli_builder {
    const char *name;
    const char *summary;
    const char *program; /* what has to be in PATH; NULL: nothing */
    bool for_gateway;    /* push sends to the gateway, not to a registry */
    bool runs_images;    /* program has a "run" like Docker's */
    bool context_last;   /* its flags must all come before the folder */
    /* All: any worker's thread. On failure nothing is left that push would take. */
    int (*build)(const struct cli_builder *b, const struct cli_build_job *job,
                 struct faas_error *err);
    int (*push)(const struct cli_builder *b, const struct cli_push_job *job,
                struct faas_error *err);
    /* Once before publishing; reset_qemu: install emulators for other machines' programs first. */
    int (*prepare)(const struct cli_builder *b, bool reset_qemu, struct faas_error *err);
    /* Builds for all platforms and sends the result. NULL: publishing is building, then pushing. */
    int (*publish)(const struct cli_builder *b, const struct cli_build_job *job,
                   struct faas_error *err);
};

/* A folder that needs no container engine: bundle.c. */
extern const struct cli_builder cli_bundle_builder;
/* Container engines: engine.c. */
extern const struct cli_builder cli_docker_builder;
extern const struct cli_builder cli_podman_builder;
extern const struct cli_builder cli_buildah_builder;

/* NULL-terminated, in the order in which they are looked for. */
extern const struct cli_builder *const cli_builders[];

#define CLI_BUILDER_ENV "OPENFAAS_BUILDER"

/* Their names and "auto", NULL-terminated: for a flag's row. */
extern const char *const cli_builder_names[];

/* The one that wanted names, else the environment; without either (or with "auto") the bundle
 * builder when the gateway's provider is "local", else the first engine in PATH. A gateway that
 * cannot be asked is taken for one that runs images when there is an engine. Says on stderr what
 * was taken for which reason, unless that is plain. NULL on failure. */
const struct cli_builder *cli_builder_choose(const char *wanted, const struct cli_connect *connect,
                                             const struct cli_stack *stack, struct faas_error *err);

#endif
