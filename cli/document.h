/* Texts that a user names by path or by URL: stack files, indexes of stores. */
#ifndef FAAS_CLI_DOCUMENT_H
#define FAAS_CLI_DOCUMENT_H

#include "libfaas/buf.h"

struct cli_document {
    const char *place; /* http://…, https://…, file://PATH or PATH */
    size_t max;        /* bytes; TOO_LARGE beyond */
    int64_t timeout_ms;
};

/* Appends it to out. A server has to answer 200. */
FAAS_NODISCARD int cli_document_read(const struct cli_document *d, struct faas_buf *out,
                                     struct faas_error *err);

#endif
