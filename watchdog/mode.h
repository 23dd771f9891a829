/* How the function is run: the values of `mode`. */
#ifndef FAAS_WATCHDOG_MODE_H
#define FAAS_WATCHDOG_MODE_H

#include "watchdog/family.h"

#include <stdbool.h>

enum wd_mode {
    WD_CLASSIC,     /* a process for each request; its whole output is the response */
    WD_STREAMING,   /* a process for each request; bodies pass as they come */
    WD_SERIALIZING, /* a process for each request; bodies pass whole */
    WD_HTTP,        /* one process that speaks HTTP; requests are passed on to it */
    WD_STATIC,      /* no process: files of a folder */
    WD_N_MODES
};

struct wd_mode_info {
    const char *name;
    enum wd_family family;
    bool needs_command; /* fprocess has to be set */
};

extern const struct wd_mode_info wd_modes[WD_N_MODES];

bool wd_mode_find(const char *name, enum wd_mode *out);
/* What a family does when `mode` is not set. */
enum wd_mode wd_mode_default(enum wd_family family);
/* "classic, streaming, …" for messages. */
const char *wd_mode_names(char *buf, unsigned size);

#endif
