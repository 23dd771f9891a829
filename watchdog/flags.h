/* The command line: -version, -run-healthcheck, -h, by the rules of Go's flag
 * package: one dash or two, "-flag=false", and the first other word ends them. */
#ifndef FAAS_WATCHDOG_FLAGS_H
#define FAAS_WATCHDOG_FLAGS_H

#include "libfaas/error.h"

#include <stdbool.h>

struct wd_flags {
    bool version;
    bool run_healthcheck;
    bool help;
};

FAAS_NODISCARD int wd_flags_parse(struct wd_flags *flags, char *const *argv,
                                  struct faas_error *err);
extern const char wd_usage[];

#endif
