#include "libfaas/version.h"

const char *faas_version(void)
{
    return FAAS_VERSION;
}

const char *faas_commit(void)
{
    return FAAS_COMMIT;
}
