#include "watchdog/executor.h"

#include <stdio.h>

static const struct wd_executor_ops *const executors[] = {
    &wd_classic_executor,
};

const struct wd_executor_ops *wd_executor_find(const char *mode, struct faas_error *err)
{
    char known[128] = "";
    size_t len = 0;

    if (!*mode)
        return &wd_classic_executor;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(executors); i++) {
        const char *name = executors[i]->name;

        if (strcmp(mode, name) == 0)
            return executors[i];
        if (len + strlen(name) + 3 < sizeof(known))
            len += (size_t)sprintf(known + len, "%s%s", len ? ", " : "", name);
    }
    faas_fail(err, FAAS_ERR_INVALID, "unknown watchdog mode: %.60s (known: %s)", mode, known);
    return NULL;
}
