/* Environment substitution as stack files use it: ${NAME} and its operators are replaced, "$NAME"
 * and every other '$' stay as they are. Works on text, before YAML is read. */
#ifndef FAAS_CLI_ENVSUBST_H
#define FAAS_CLI_ENVSUBST_H

#include "libfaas/buf.h"

struct cli_env {
    /* The variable's value, or NULL when it is not set. Borrowed until the next call. */
    const char *(*get)(void *self, const char *name);
    void *self;
};

extern const struct cli_env cli_process_env; /* getenv() */

/* Appends the substituted text to out:
 *   ${V}                                value, or nothing
 *   ${V:-d} ${V:=d} ${V=d} ${V:?d} ${V:+d}   d when V is unset or empty; d may hold ${…} again
 *   ${#V} ${V^} ${V^^} ${V,} ${V,,}     length, case of the first letter or of all
 *   ${V:from} ${V:from:length}          a part; a negative from counts from the end
 *   ${V#glob} ${V##glob} ${V%glob} ${V%%glob}   without that beginning or end, shortest or longest
 *   ${V/a/b} ${V//a/b} ${V/#a/b} ${V/%a/b}      first, every, leading, trailing a becomes b
 *   $$  \\  \/                          one '$', '\', '/'
 * Lengths count bytes. INVALID for an unclosed or a senseless ${…}, beginning "file:line: ". */
FAAS_NODISCARD int cli_envsubst(struct faas_str text, const char *file, const struct cli_env *env,
                                struct faas_buf *out, struct faas_error *err);

#endif
