/* Everything that is the same for all replicas of one generation of a function:
 * what to run, as whom, where, with which environment and limits. Immutable once made. */
#ifndef FAAS_PROVIDERS_LOCAL_LAUNCH_H
#define FAAS_PROVIDERS_LOCAL_LAUNCH_H

#include "libfaas/process.h"
#include "providers/local/options.h"
#include "providers/local/record.h"

#define LOCAL_MAX_RLIMITS 4

struct local_launch {
    unsigned refs;       /* supervisor thread */
    unsigned generation; /* rises with each update; set by the function */
    struct faas_map env; /* all but what differs from replica to replica (HOME, TMPDIR) */
    char *cwd;           /* the unpacked bundle */
    char *digest;
    bool set_user;
    uid_t uid;
    struct faas_rlimit rlimits[LOCAL_MAX_RLIMITS];
    size_t n_rlimits;
    int64_t stop_ms;  /* from SIGTERM to SIGKILL */
    int64_t close_ms; /* the same when the gateway itself ends, having finished its calls */
    bool was_ready;   /* a replica of it has been ready at least once */
};

struct local_launch_input {
    const struct local_record *record;
    const struct local_options *options;
    bool set_user; /* functions run as record->uid */
    const char *bundle_dir;
    const char *secret_dir; /* of this function's copies */
    const char *gateway_url;
};

/* Reads the bundle's manifest. NULL and *err when the bundle is missing or unusable. */
struct local_launch *local_launch_new(const struct local_launch_input *in, struct faas_error *err);
struct local_launch *local_launch_ref(struct local_launch *l);
void local_launch_unref(struct local_launch *l);

#endif
