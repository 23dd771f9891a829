#include "providers/local/local.h"
#include "providers/memory/memory.h"

const struct faas_provider_ops *const faas_provider_registry[] = {
    &faas_local_provider,
    &faas_memory_provider,
    NULL,
};
