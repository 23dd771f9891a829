/* Functions as Kubernetes objects, in YAML: what generate prints. */
#ifndef FAAS_CLI_MANIFEST_H
#define FAAS_CLI_MANIFEST_H

#include "libfaas/api_types.h"

struct cli_manifest {
    const char *api; /* "openfaas.com/v1" */
    const struct faas_function_spec *spec;
    bool empty_maps; /* labels and annotations are written even when there are none */
};

/* A Function, in the namespace of the specification. */
void cli_manifest_function(struct faas_buf *out, const struct cli_manifest *m);
/* A Service of Knative. */
void cli_manifest_knative(struct faas_buf *out, const struct cli_manifest *m);

#endif
