#include "watchdog/family.h"

#include <stddef.h>
#include <string.h>

/* Set by the build that makes the second image; this file is all that differs between the two. */
#ifndef WD_BUILT_AS
#define WD_BUILT_AS WD_CLASSIC_WATCHDOG
#endif

enum wd_family wd_family_of_program(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    const char *name = slash ? slash + 1 : argv0;

    return name && strcmp(name, "of-watchdog") == 0 ? WD_OF_WATCHDOG : WD_BUILT_AS;
}
