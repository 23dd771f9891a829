/* Processes that a gateway could not end because it was killed: each running
 * replica is noted in <state>/run/.pids/, and what is still alive when the next gateway starts is
 * ended before anything else, so that nothing runs twice. */
#ifndef FAAS_PROVIDERS_LOCAL_LEFTOVERS_H
#define FAAS_PROVIDERS_LOCAL_LEFTOVERS_H

#include "libfaas/log.h"

#include <sys/types.h>

/* Notes a process, told apart from a later one with the same pid by its start time. Best effort:
 * the kernel ends replicas with their parent too. */
void local_leftover_note(const char *state_dir, const char *id, pid_t pid);
void local_leftover_forget(const char *state_dir, const char *id);
/* Kills what is noted and still the same process, and waits for it. UNAVAILABLE when one does not
 * end within limit_ms. */
FAAS_NODISCARD int local_leftovers_end(const char *state_dir, int64_t limit_ms,
                                       const struct faas_log *log, struct faas_error *err);

/* In clock ticks since boot; 0: there is no such process, or only its exit status is left. */
uint64_t local_process_start_time(pid_t pid);

#endif
