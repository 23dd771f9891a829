/* How the function is run: the values of `mode`. */
#ifndef FAAS_WATCHDOG_MODE_H
#define FAAS_WATCHDOG_MODE_H

#include "watchdog/family.h"

#include <stdbool.h>

enum wd_mode { WD_CLASSIC, WD_STREAMING, WD_SERIALIZING, WD_HTTP, WD_STATIC, WD_N_MODES };

struct wd_mode_info {
    const char *name;
    const char *summary; /* one line */
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
