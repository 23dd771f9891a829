/* The provider that keeps everything in this process: reference for the contract,
 * test double, and a way to put any HTTP server behind the gateway.
 *
 * Annotation minnow.upstream: "host:port[,host:port…]" (numeric hosts) says where a function
 * answers; the first as many of them as there are replicas are in service. Without it the function
 * exists but has no endpoint. */
#ifndef FAAS_PROVIDERS_MEMORY_H
#define FAAS_PROVIDERS_MEMORY_H

#include "providers/provider.h"

extern const struct faas_provider_ops faas_memory_provider;

#define FAAS_MEMORY_UPSTREAM "minnow.upstream"

/* Adds a line to a function's log, as its output would. Any thread. p is a memory provider. */
void faas_memory_log(struct faas_provider *p, const char *name, const char *ns,
                     const char *instance, const char *text);

#endif
