/* Shared libraries that are loaded when they are first needed. Being linked to libcurl and
 * libarchive costs a program six of the eight milliseconds that it takes to start, because of what
 * those bring along; most commands and most gateways never call either. Any thread. */
#ifndef FAAS_LAZY_H
#define FAAS_LAZY_H

#include "libfaas/error.h"

#include <pthread.h>

struct faas_lazy_symbol {
    const char *name;
    void **at; /* gets its address */
};

struct faas_lazy {
    pthread_once_t once;
    const char *soname;
    const struct faas_lazy_symbol *symbols; /* the last has no name */
    struct faas_error failure;              /* code NONE: it is loaded, and stays */
};

/* UNSUPPORTED, with the loader's reason, when the library or one of its functions is not there. */
FAAS_NODISCARD int faas_lazy_load(struct faas_lazy *lib, void (*load)(void),
                                  struct faas_error *err);
/* What load does: it runs once, under the once of lib. */
void faas_lazy_open(struct faas_lazy *lib);

#endif
