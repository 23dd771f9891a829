#include "watchdog/mode.h"

#include <stdio.h>
#include <string.h>

const struct wd_mode_info wd_modes[WD_N_MODES] = {
    [WD_CLASSIC] = {"classic", WD_CLASSIC_WATCHDOG, true},
    [WD_STREAMING] = {"streaming", WD_OF_WATCHDOG, true},
    [WD_SERIALIZING] = {"serializing", WD_OF_WATCHDOG, true},
    [WD_HTTP] = {"http", WD_OF_WATCHDOG, true},
    [WD_STATIC] = {"static", WD_OF_WATCHDOG, false},
};

bool wd_mode_find(const char *name, enum wd_mode *out)
{
    for (unsigned i = 0; i < WD_N_MODES; i++)
        if (strcmp(wd_modes[i].name, name) == 0) {
            *out = (enum wd_mode)i;
            return true;
        }
    return false;
}

enum wd_mode wd_mode_default(enum wd_family family)
{
    return family == WD_OF_WATCHDOG ? WD_STREAMING : WD_CLASSIC;
}

const char *wd_mode_names(char *buf, unsigned size)
{
    unsigned len = 0;

    for (unsigned i = 0; i < WD_N_MODES && len < size; i++)
        len += (unsigned)snprintf(buf + len, size - len, "%s%s", i ? ", " : "", wd_modes[i].name);
    return buf;
}
