/* Command lines of container engines. Pure, so that they can be compared with what the engines'
 * manuals say. */
#ifndef FAAS_CLI_ENGINE_H
#define FAAS_CLI_ENGINE_H

#include "cli/builder.h"

/* "docker build … --tag IMAGE ." */
void cli_engine_build_argv(struct faas_strv *out, const struct cli_builder *b,
                           const struct cli_build_job *job);
/* The same for several platforms, pushed as well: "docker buildx build … --tag IMAGE ." */
void cli_engine_buildx_argv(struct faas_strv *out, const struct cli_builder *b,
                            const struct cli_build_job *job);
/* The same for several platforms, as a list of images that is still to be pushed: "podman build
 * --platform=… --manifest LIST ." */
void cli_engine_manifest_argv(struct faas_strv *out, const struct cli_builder *b,
                              const struct cli_build_job *job);
/* A name of its own for the list of images that publishing makes: one image under the function's
 * name may be here already, and would be in the way. Heap. */
char *cli_engine_list_name(const struct cli_build_job *job);
/* The words with one blank between them, for people. Heap. */
char *cli_engine_words(const struct faas_strv *argv, size_t from);

#endif
