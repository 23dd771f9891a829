/* From a function of the stack file, and what flags add to it, to what is sent to the gateway. */
#ifndef FAAS_CLI_DEPLOYMENT_H
#define FAAS_CLI_DEPLOYMENT_H

#include "cli/options.h"
#include "libfaas/api_types.h"

struct cli_deploy_options {
    struct cli_connect connect;
    char *fprocess; /* these four and the resources describe a function without a stack file */
    char *image;
    char *name;
    struct cli_resource_options resources;
    char *handler;
    char *lang;
    char *network;
    char *namespace_;
    struct faas_map environment;
    struct faas_map labels;
    struct faas_map annotations;
    bool replace;
    bool update;
    struct faas_strv constraints;
    struct faas_strv secrets;
    bool readonly;
    char *tag;
    bool envsubst;
    bool read_template;
    int64_t timeout_ms;
};

/* Environment: the function's, then its environment files', then --env. Labels and annotations:
 * the function's, then the flags'. Secrets: the flags', then the function's. Constraints: the
 * function's when it has any, else the flags'. The process is the function's or its template's. */
FAAS_NODISCARD int cli_deployment_from_function(const struct cli_function *fn,
                                                const struct cli_deploy_options *o,
                                                struct faas_function_spec *out,
                                                struct faas_error *err);
/* Without a stack file: everything is in the flags. */
FAAS_NODISCARD int cli_deployment_from_flags(const struct cli_deploy_options *o,
                                             struct faas_function_spec *out,
                                             struct faas_error *err);

#endif
