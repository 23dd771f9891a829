/* The folder that a function is built from: build/<name>/, made of its template, its handler and
 * whatever else the stack file asks to be copied in. */
#ifndef FAAS_CLI_CONTEXT_H
#define FAAS_CLI_CONTEXT_H

#include "libfaas/map.h"

struct cli_context {
    const char *name;           /* the function's */
    const char *template_dir;   /* "template/python3"; NULL: the handler is the whole context */
    const char *handler_folder; /* "function" */
    const char *handler;
    const struct faas_strv *copy; /* paths inside of the working directory */
};

/* "build/<name>". Heap. */
char *cli_context_dir(const char *name);
/* Replaces build/<name>. Symlinks are followed, mode bits kept. On failure what was copied stays
 * for people to look at; nothing takes it for a result. */
FAAS_NODISCARD int cli_context_assemble(const struct cli_context *c, struct faas_error *err);

#endif
