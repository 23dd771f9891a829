/* The request that invoke sends: URL, headers and signature, made from its flags. */
#ifndef FAAS_CLI_INVOCATION_H
#define FAAS_CLI_INVOCATION_H

#include "cli/client.h"

struct cli_invoke_options {
    struct cli_connect connect;
    char *namespace_;
    char *method;
    char *content_type; /* NULL: not given */
    struct faas_strv query;
    struct faas_strv headers;
    bool async;
    char *sign;
    char *key;
    char *name;
    bool envsubst;
};

struct cli_invocation {
    struct faas_buf url;
    struct faas_strv headers;
    struct faas_buf body;
};

/* What can be refused before a body is read. */
FAAS_NODISCARD int cli_invocation_check(const struct cli_invoke_options *o, struct faas_error *err);
/* Fills url and headers; the body is there already, for its signature. The namespace is the
 * flag's, the stack file's for this function, or the default, and is always part of the URL. */
FAAS_NODISCARD int cli_invocation_build(struct cli_invocation *inv,
                                        const struct cli_invoke_options *o,
                                        const struct cli_stack *stack, const char *gateway,
                                        const char *name, struct faas_error *err);
void cli_invocation_deinit(struct cli_invocation *inv);

#endif
