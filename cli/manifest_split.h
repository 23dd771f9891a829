/* A stream of Kubernetes objects, cut into files of one each. */
#ifndef FAAS_CLI_MANIFEST_SPLIT_H
#define FAAS_CLI_MANIFEST_SPLIT_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

/* Writes every object of text to FOLDER/<kind>/<name>.yaml, or <name>.<namespace>.yaml when that is
 * taken, and adds the paths to written. The kind is in lower case; custom resource definitions have
 * a folder that sorts before all others. INVALID for an object whose kind or name is no file's
 * name. */
FAAS_NODISCARD int cli_manifests_split(struct faas_str text, const char *folder,
                                       struct faas_strv *written, struct faas_error *err);

#endif
