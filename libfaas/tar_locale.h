/* libarchive turns names into the charset of the calling thread's locale and gives up on what that
 * cannot say. Programs that never call setlocale() are in "C", which cannot say "ü". */
#ifndef FAAS_TAR_LOCALE_H
#define FAAS_TAR_LOCALE_H

#include "libfaas/cleanup.h"

#include <locale.h>

struct faas_tar_locale {
    locale_t utf8;
    locale_t before;
};

static inline struct faas_tar_locale faas_tar_locale_enter(void)
{
    struct faas_tar_locale l = {.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};

    if (l.utf8)
        l.before = uselocale(l.utf8);
    return l;
}

static inline void faas_tar_locale_leave(struct faas_tar_locale *l)
{
    if (!l->utf8)
        return;
    uselocale(l->before);
    freelocale(l->utf8);
}

#define _cleanup_tar_locale_ _cleanup_(faas_tar_locale_leave)

#endif
