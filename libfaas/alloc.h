/* Memory that is always there.
 *
 * These never return NULL: when the system has no memory left, the process says
 * so in one line and aborts. Everything durable is written before it is
 * acknowledged and every program is restarted by its supervisor, so an abort
 * loses nothing that was promised, while thousands of never-executed
 * out-of-memory branches would. Sizes that an outsider chooses (bodies, headers,
 * files) are therefore capped before they reach these functions. */
#ifndef FAAS_ALLOC_H
#define FAAS_ALLOC_H

#include "libfaas/macros.h"

#include <stddef.h>

void *faas_alloc(size_t size) FAAS_NODISCARD;            /* uninitialised */
void *faas_zalloc(size_t size) FAAS_NODISCARD;           /* zeroed */
void *faas_realloc(void *p, size_t size) FAAS_NODISCARD; /* p may be NULL */
/* room for n members of size bytes; n * size is checked for overflow */
void *faas_reallocarray(void *p, size_t n, size_t size) FAAS_NODISCARD;
char *faas_strdup(const char *s) FAAS_NODISCARD;
char *faas_strndup(const char *s, size_t n) FAAS_NODISCARD; /* takes exactly n bytes */
char *faas_asprintf(const char *fmt, ...) FAAS_PRINTF(1, 2) FAAS_NODISCARD;

#define faas_new(type) ((type *)faas_zalloc(sizeof(type)))

#endif
