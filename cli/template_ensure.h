/* Getting the templates that are needed and not here. */
#ifndef FAAS_CLI_TEMPLATE_ENSURE_H
#define FAAS_CLI_TEMPLATE_ENSURE_H

#include "cli/stack.h"

struct cli_template_origin {
    const struct cli_stack *stack; /* whose configuration says where templates come from; or NULL */
    bool overwrite;
    bool debug; /* leave clones behind */
};

/* Makes sure that ./template/<lang> is there: from where the stack file says; else our own template
 * of that name; else from the repository that the template store knows. NOT_FOUND for a name that
 * nobody knows, with the names that are. */
FAAS_NODISCARD int cli_template_ensure(const char *lang, const struct cli_template_origin *from,
                                       struct faas_error *err);
/* Fetches one template that a stack file names together with its source, whether it is here or not.
 */
FAAS_NODISCARD int cli_template_pull_source(const struct cli_template_source *t,
                                            const struct cli_template_origin *from,
                                            struct faas_error *err);
/* The last line of a pull. */
void cli_template_tell_written(const struct faas_strv *names);

#endif
