/* Who listens at a port: asked once, when a function is taken for up at a port that was chosen for
 * it a moment before, and that somebody else may have been quicker to take. */
#ifndef FAAS_WATCHDOG_PORT_OWNER_H
#define FAAS_WATCHDOG_PORT_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/* False: it is a process outside of this group. True also when /proc does not tell. */
bool wd_port_is_of_group(unsigned port, pid_t group);

#endif
