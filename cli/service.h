/* One program that runs beside us until we or it have enough. One thread. */
#ifndef FAAS_CLI_SERVICE_H
#define FAAS_CLI_SERVICE_H

#include "libfaas/map.h"
#include "libfaas/process.h"

struct cli_service {
    struct faas_process process; /* pid 0: none */
    void (*before_stop)(void *arg);
    void *arg;
};

struct cli_service_start {
    char *const *argv;
    const struct faas_map *environment; /* NULL: ours */
    const char *cwd;                    /* NULL: ours */
    int listener;                       /* becomes its descriptor 3; -1: none */
    /* Called before it is asked to end; what it does may end it. May be NULL. */
    void (*before_stop)(void *arg);
    void *arg;
};

/* It writes to our stdout and stderr, and ends when we do. */
FAAS_NODISCARD int cli_service_start(struct cli_service *s, const struct cli_service_start *how,
                                     struct faas_error *err);
/* Asks it to end, and waits until it has; a second SIGINT or SIGTERM to us, or five seconds, kill
 * it. None: nothing. */
void cli_service_stop(struct cli_service *s);
/* Waits until it ends, which fails unless with status 0, or until SIGINT or SIGTERM, after which it
 * is stopped. */
FAAS_NODISCARD int cli_service_wait(struct cli_service *s, struct faas_error *err);

#endif
