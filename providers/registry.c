#include "providers/memory/memory.h"

const struct faas_provider_ops *const faas_provider_registry[] = {
    &faas_memory_provider,
    NULL,
};
