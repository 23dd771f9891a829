/* "name.namespace" as it stands in a URL. */
#ifndef FAAS_GATEWAY_FN_NAME_H
#define FAAS_GATEWAY_FN_NAME_H

#include "libfaas/str.h"

struct gw_fn_name {
    struct faas_str name;
    struct faas_str ns;
};

/* Namespace is what follows the last dot, else default_ns. NOT_FOUND for anything that cannot be
 * the name of a function (empty, other characters): to the caller it is simply not there. */
FAAS_NODISCARD int gw_fn_name_parse(struct faas_str segment, struct faas_str default_ns,
                                    struct gw_fn_name *out, struct faas_error *err);

#endif
