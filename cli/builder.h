/* What turns an assembled build/<function>/ into something a gateway can run. */
#ifndef FAAS_CLI_BUILDER_H
#define FAAS_CLI_BUILDER_H

#include "cli/stack.h"
#include "cli/template.h"

struct cli_build_job {
    const struct cli_function *fn;
    const struct cli_template *template_; /* NULL: the function brings a Dockerfile of its own */
    const char *dir;                      /* "build/hello" */
    const char *image;                    /* "hello:latest" */
    struct faas_map args;                 /* build arguments, ADDITIONAL_PACKAGE among them */
    bool no_cache;
    /* Gets what the tools say, line by line. */
    void (*line)(void *arg, struct faas_str line);
    void *arg;
};

struct cli_builder {
    const char *name;
    const char *summary;
    /* Any worker's thread. On failure nothing is left that push would take. */
    int (*build)(const struct cli_build_job *job, struct faas_error *err);
};

/* A folder that needs no container engine: bundle.c. */
extern const struct cli_builder cli_bundle_builder;

/* NULL-terminated; the first is the default. */
extern const struct cli_builder *const cli_builders[];

#endif
