/* The provider whose functions are processes on this machine: one fwatchdog per
 * replica, supervised, with durable specs, secrets, bundles and logs under the state directory:
 *
 *     lock                       held by the one gateway that runs on it; names its pid
 *     functions/<ns>/<name>.json what was deployed (record.h)
 *     secrets/<ns>/<name>        values, readable to the gateway alone
 *     images/{blobs,refs,tmp}    the bundle store (images.h)
 *     logs/<ns>.<name>.log[.N]   output of functions (log_file.h)
 *     run/<ns>.<name>/           secrets/ and one folder per replica (its HOME and TMPDIR)
 *     run/.pids/                 processes to end should the gateway die (leftovers.h)
 *     trash/                     folders being deleted
 *
 * Everything under run/ is made anew at each start. */
#ifndef FAAS_PROVIDERS_LOCAL_LOCAL_H
#define FAAS_PROVIDERS_LOCAL_LOCAL_H

#include "providers/provider.h"

extern const struct faas_provider_ops faas_local_provider;

#endif
