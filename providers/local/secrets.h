/* Secrets on disk: <state>/secrets/<ns>/<name>, readable to the gateway alone, and
 * the copies that a function reads, in a folder of its own. Any thread; changes to one namespace
 * are the caller's to serialise. Values are wiped from memory after use. */
#ifndef FAAS_PROVIDERS_LOCAL_SECRETS_H
#define FAAS_PROVIDERS_LOCAL_SECRETS_H

#include "libfaas/api_types.h"

#include <sys/types.h>

#define LOCAL_SECRET_MAX (1024 * 1024)

FAAS_NODISCARD int local_secret_list(const char *state_dir, const char *ns, struct faas_strv *names,
                                     struct faas_error *err);
/* Adds the namespaces that hold a secret and are not in out yet. */
FAAS_NODISCARD int local_secret_namespaces(const char *state_dir, struct faas_strv *out,
                                           struct faas_error *err);
bool local_secret_exists(const char *state_dir, const char *ns, const char *name);
/* Creates or replaces. TOO_LARGE above LOCAL_SECRET_MAX. */
FAAS_NODISCARD int local_secret_save(const char *state_dir, const struct faas_secret *s,
                                     struct faas_error *err);
FAAS_NODISCARD int local_secret_remove(const char *state_dir, const char *ns, const char *name,
                                       struct faas_error *err);

/* Where a function's copies lie. root is the function's run folder, dir is root/secrets. */
struct local_secret_target {
    const char *root;
    const char *dir;
    bool set_owner; /* copies belong to root:gid 0440; otherwise to this program's user, 0400 */
    gid_t gid;
};

/* Makes dir hold the named secrets, replacing each atomically. NOT_FOUND names a missing one. */
FAAS_NODISCARD int local_secret_copy(const char *state_dir, const char *ns,
                                     const struct faas_strv *names,
                                     const struct local_secret_target *to, struct faas_error *err);
/* Removes copies that are not among names. */
void local_secret_prune(const struct local_secret_target *to, const struct faas_strv *names);

#endif
