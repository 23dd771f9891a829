/* Writing stack files: a new one, or one more function into one that is there. The text that
 * people wrote stays as it is. */
#ifndef FAAS_CLI_STACK_EDIT_H
#define FAAS_CLI_STACK_EDIT_H

#include "cli/options.h"

struct cli_new_function {
    const char *name;
    const char *lang;
    const char *handler; /* folder, without "./" */
    const char *image;
    const struct cli_resource_options *resources;
};

/* A whole stack file with this one function. */
void cli_stack_write(struct faas_buf *out, const char *gateway, const struct cli_new_function *fn);
/* text with the function added behind the last one below "functions:". INVALID when there is one
 * of that name, or when the file is written in a way that has no place for it. */
FAAS_NODISCARD int cli_stack_append(struct faas_buf *out, struct faas_str text, const char *file,
                                    const struct cli_new_function *fn, struct faas_error *err);

#endif
