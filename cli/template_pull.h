/* Fetching templates into ./template. */
#ifndef FAAS_CLI_TEMPLATE_PULL_H
#define FAAS_CLI_TEMPLATE_PULL_H

#include "cli/template_repo.h"
#include "libfaas/map.h"

struct cli_template_pull {
    const char *repo; /* as cli_template_repo_parse() takes it */
    const char *only; /* template/<only> of the repository; NULL: all there are */
    const char *as;   /* what that one is called here; NULL: as there */
    bool overwrite;   /* those that are here already */
    bool debug;       /* leave the clone behind and say where */
};

/* Copies them over what is here (files that only the older one had stay), each with a meta.json
 * that says where it came from. Templates of a REF are called NAME@REF. The names go to written;
 * it is an error when some were here and had to stay, after the others have been copied. */
FAAS_NODISCARD int cli_template_pull(const struct cli_template_pull *p, struct faas_strv *written,
                                     struct faas_error *err);

#endif
