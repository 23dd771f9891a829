/* Bundles: the images of a gateway that runs functions as processes. A folder with everything a
 * function needs beside its interpreter, and bundle.json, which says how to run it:
 *   {"version":1,"language":"python3","fprocess":"python3 index.py","environment":{"k":"v"}} */
#ifndef FAAS_CLI_BUNDLE_H
#define FAAS_CLI_BUNDLE_H

#include "cli/builder.h"
#include "libfaas/buf.h"

#define CLI_BUNDLE_MANIFEST "bundle.json"

/* The manifest's text, with a line feed at its end. */
void cli_bundle_manifest(struct faas_buf *out, const struct cli_template *t);
/* Whether dir has been bundled to the end. */
bool cli_bundle_is_complete(const char *dir);
/* Sends the bundle in job->dir to the gateway's image store: a builder's push. */
FAAS_NODISCARD int cli_bundle_push(const struct cli_builder *b, const struct cli_push_job *job,
                                   struct faas_error *err);

#endif
