/* bundle.json: what a function bundle says about how to run it. */
#ifndef FAAS_PROVIDERS_LOCAL_BUNDLE_H
#define FAAS_PROVIDERS_LOCAL_BUNDLE_H

#include "libfaas/json.h"

#define LOCAL_BUNDLE_MANIFEST "bundle.json"

struct local_bundle {
    char *fprocess;      /* the command; never empty */
    struct faas_map env; /* the template's defaults */
};

void local_bundle_deinit(struct local_bundle *b);
FAAS_NODISCARD int local_bundle_parse(struct faas_str text, struct local_bundle *b,
                                      struct faas_error *err);
/* Reads dir/bundle.json. INVALID (also when it is absent) names the file. */
FAAS_NODISCARD int local_bundle_load(const char *dir, struct local_bundle *b,
                                     struct faas_error *err);

#endif
