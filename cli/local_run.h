/* Running one built function on this machine, without a gateway: what the command line or the
 * environment has to be. */
#ifndef FAAS_CLI_LOCAL_RUN_H
#define FAAS_CLI_LOCAL_RUN_H

#include "cli/builder.h"

struct cli_local_run {
    const struct cli_builder *builder;
    const struct cli_function *fn;
    const char *image;
    unsigned port;
    const char *network;         /* NULL: the engine's own choice */
    const char *fprocess;        /* NULL: the image's own */
    struct faas_map environment; /* all of it: see cli_local_run_environment() */
};

/* The function's environment, its environment files', what a gateway adds, then extra, in this
 * order; the later wins. */
FAAS_NODISCARD int cli_local_run_environment(const struct cli_function *fn,
                                             const struct faas_map *extra, struct faas_map *out,
                                             struct faas_error *err);
/* "docker run --name hello --rm -i -p=8080:8080 …". INVALID for a limit that means nothing; a
 * memory limit below the engine's least is raised, with a note on stderr. */
FAAS_NODISCARD int cli_local_run_argv(const struct cli_local_run *r, struct faas_strv *out,
                                      struct faas_error *err);

/* Reads bundle.json in dir: what it runs (heap), and into environment what it wants set and is not
 * set there yet. */
FAAS_NODISCARD int cli_bundle_read(const char *dir, char **fprocess, struct faas_map *environment,
                                   struct faas_error *err);

/* Splits "a=1,b=2" into pairs. */
FAAS_NODISCARD int cli_local_run_pairs(const struct faas_strv *items, struct faas_map *out,
                                       struct faas_error *err);

#endif
