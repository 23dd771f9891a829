#include "libfaas/lazy.h"

#include <dlfcn.h>

void faas_lazy_open(struct faas_lazy *lib)
{
    void *handle = dlopen(lib->soname, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        faas_fail(&lib->failure, FAAS_ERR_UNSUPPORTED, "this needs %s: %s", lib->soname, dlerror());
        return;
    }
    for (const struct faas_lazy_symbol *s = lib->symbols; s->name; s++) {
        *s->at = dlsym(handle, s->name);
        if (!*s->at) {
            faas_fail(&lib->failure, FAAS_ERR_UNSUPPORTED, "this needs a newer %s: %s", lib->soname,
                      dlerror());
            return;
        }
    }
}

int faas_lazy_load(struct faas_lazy *lib, void (*load)(void), struct faas_error *err)
{
    pthread_once(&lib->once, load);
    if (lib->failure.code == FAAS_ERR_NONE)
        return 0;
    return faas_fail(err, lib->failure.code, "%s", lib->failure.msg);
}
