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

/* Fills url and headers, and refuses what cannot be sent. The namespace is the flag's, the stack
 * file's for this function, or the default, and is always part of the URL. */
FAAS_NODISCARD int cli_invocation_build(struct cli_invocation *inv,
                                        const struct cli_invoke_options *o,
                                        const struct cli_stack *stack, const char *gateway,
                                        const char *name, struct faas_error *err);
/* Once the body is there: adds its signature, if one is asked for. */
void cli_invocation_sign(struct cli_invocation *inv, const struct cli_invoke_options *o);
void cli_invocation_deinit(struct cli_invocation *inv);

#endif
