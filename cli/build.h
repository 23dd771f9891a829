/* Building functions: shared by every command that needs them built first. */
#ifndef FAAS_CLI_BUILD_H
#define FAAS_CLI_BUILD_H

#include "cli/builder.h"
#include "cli/options.h"
#include "cli/progress.h"

struct cli_build_options {
    struct cli_connect connect; /* whom to ask which builder it takes */
    char *builder;              /* NULL: see cli_builder_choose() */
    char *image;                /* these four describe a function without a stack file */
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

#define CLI_ROW_BUILDER(options)                                                                \
    {                                                                                           \
        .name = "builder", .type = CLI_STRING, .at = offsetof(options, builder), .arg = "NAME", \
        .choices = cli_builder_names, .shown_default = "$" CLI_BUILDER_ENV ", then auto",       \
        .help = "what makes images; auto is bundle when the gateway's provider is local, else " \
                "the first engine in PATH"                                                      \
    }

/* What is asked of publishing beside what building takes. */
struct cli_publish_options {
    char *platforms; /* NULL: the function's, else linux/amd64 */
    struct faas_strv extra_tags;
    bool reset_qemu;
};

/* What a build has in common for all of its functions; read by all workers. */
struct cli_build {
    const struct cli_build_options *options;
    const struct cli_publish_options *publish; /* NULL: only build */
    const struct cli_builder *builder;         /* NULL: only assemble */
    const struct cli_client *client;           /* for builders that publish to the gateway */
    const struct cli_stack *stack;
    struct faas_strv copy; /* --copy-extra, then the stack file's */
    size_t n_workers;
    struct cli_progress *progress; /* NULL: plain lines */
};

/* All functions of the stack file, or the one that flags describe: templates fetched, builder
 * chosen, images made, and with publish not NULL also sent. Tells how it goes. */
FAAS_NODISCARD int cli_build_run(const struct cli *cli, const struct cli_build_options *o,
                                 const struct cli_publish_options *publish, struct faas_error *err);
/* Builds one function up to its image, telling how it goes. Any worker's thread. */
FAAS_NODISCARD int cli_build_function(const struct cli_build *b, const struct cli_function *fn,
                                      size_t worker, struct faas_error *err);
/* Build arguments of a function: the stack file's, overlaid by --build-arg, and
 * ADDITIONAL_PACKAGE: the packages of its build options and of either of the two, sorted. */
FAAS_NODISCARD int cli_build_args(const struct cli_build_options *o, const struct cli_function *fn,
                                  const struct cli_template *t, struct faas_map *out,
                                  struct faas_error *err);

#endif
