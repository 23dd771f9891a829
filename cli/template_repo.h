/* Where templates are fetched from: a git repository by URL or path, or a plain folder; and which
 * branch, tag or commit of it. Written as REPOSITORY[#REF], REF "sha-HEX" for a commit. */
#ifndef FAAS_CLI_TEMPLATE_REPO_H
#define FAAS_CLI_TEMPLATE_REPO_H

#include "libfaas/cleanup.h"
#include "libfaas/error.h"

#include <stdbool.h>

#define CLI_TEMPLATE_REPO_DEFAULT "https://github.com/openfaas/templates.git"
#define CLI_TEMPLATE_REPO_DIR     "template" /* the folder of a repository that holds them */

struct cli_template_repo {
    char *url;   /* a git URL, or an absolute path */
    char *shown; /* the same without a password or token */
    char *ref;   /* NULL: the default branch */
    bool folder; /* url is a folder that is not a git repository */
};

/* The place that text names; when it is NULL or the built-in default, $OPENFAAS_TEMPLATE_URL, and
 * without that the default. INVALID for what git must not be given. Reads the file system: text may
 * be a local path. */
FAAS_NODISCARD int cli_template_repo_parse(struct cli_template_repo *r, const char *text,
                                           struct faas_error *err);
void cli_template_repo_deinit(struct cli_template_repo *r);
/* Puts the repository's content (of a plain folder only what is below template/) into dir, an empty
 * folder, and its commit (heap; NULL for a plain folder) into *sha. What git says is shown when it
 * fails. */
FAAS_NODISCARD int cli_template_repo_fetch(const struct cli_template_repo *r, const char *dir,
                                           char **sha, struct faas_error *err);

#define _cleanup_template_repo_ _cleanup_(cli_template_repo_deinit)

#endif
