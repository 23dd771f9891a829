/* fprocess as the function's argument vector, and where its program is. */
#ifndef FAAS_WATCHDOG_ARGV_H
#define FAAS_WATCHDOG_ARGV_H

#include "libfaas/map.h"

/* Cut at every single blank: no quoting, no shell; blanks in a row, in front or behind make empty
 * arguments. */
void wd_split_command(const char *fprocess, struct faas_strv *argv);

/* The places where argv[0] may be: itself when it has a '/', else one path a directory of PATH. */
struct wd_program {
    const char *name; /* borrowed */
    struct faas_strv candidates;
    bool searched; /* by PATH */
};

void wd_program_init(struct wd_program *p, const char *name, const char *path_env);
void wd_program_deinit(struct wd_program *p);
/* Looks afresh, since a program may be installed or replaced while we run. Returns a path that is
 * borrowed from p; NULL with the error in the words that users of the Go watchdogs know. */
const char *wd_program_find(const struct wd_program *p, struct faas_error *err);

#endif
