/* The state directory as a whole: whose it is, and who may pass through it. */
#ifndef FAAS_PROVIDERS_LOCAL_STATE_DIR_H
#define FAAS_PROVIDERS_LOCAL_STATE_DIR_H

#include "libfaas/error.h"

/* Takes <state>/lock and returns the descriptor that holds it. UNAVAILABLE names the pid of the
 * gateway that has it. */
FAAS_NODISCARD int local_state_dir_lock(const char *state_dir, struct faas_error *err);
/* Lets other users pass through (not list) the directory; INVALID names a folder above it that
 * they cannot pass. */
FAAS_NODISCARD int local_state_dir_passable(const char *state_dir, struct faas_error *err);
/* An empty <state>/run. What was there goes to the trash. */
FAAS_NODISCARD int local_state_dir_renew_run(const char *state_dir, struct faas_error *err);

#endif
