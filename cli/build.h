/* Building functions: shared by every command that needs them built first. */
#ifndef FAAS_CLI_BUILD_H
#define FAAS_CLI_BUILD_H

#include "cli/builder.h"
#include "cli/options.h"

struct cli_build_options {
    char *image; /* these four describe a function without a stack file */
    char *handler;
    char *name;
    char *lang;
    bool no_cache;
    bool squash;
    int64_t parallel;
    bool shrinkwrap;
    struct faas_strv build_args; /* "KEY=VALUE" */
    struct faas_strv build_option_names;
    char *tag;
    struct faas_map build_labels;
    struct faas_strv copy_extra;
    bool envsubst;
    bool quiet;
    bool disable_stack_pull;
    bool pull;
    bool debug;
    bool overwrite;
};

extern const struct cli_flag cli_build_flags[];

/* What a build has in common for all of its functions; read by all workers. */
struct cli_build {
    const struct cli_build_options *options;
    const struct cli_builder *builder;
    const struct cli_stack *stack;
    struct faas_strv copy; /* --copy-extra, then the stack file's */
};

/* Builds one function up to its image, telling how it goes. Any worker's thread. */
FAAS_NODISCARD int cli_build_function(const struct cli_build *b, const struct cli_function *fn,
                                      struct faas_error *err);
/* Build arguments of a function: the stack file's, overlaid by --build-arg, and
 * ADDITIONAL_PACKAGE: the packages of its build options and of either of the two, sorted. */
FAAS_NODISCARD int cli_build_args(const struct cli_build_options *o, const struct cli_function *fn,
                                  const struct cli_template *t, struct faas_map *out,
                                  struct faas_error *err);

#endif
