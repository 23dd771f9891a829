/* Cuts a stream of JSON objects, with or without line feeds between them, into the objects. */
#ifndef FAAS_CLI_JSON_STREAM_H
#define FAAS_CLI_JSON_STREAM_H

#include "libfaas/buf.h"

struct cli_json_stream {
    struct faas_buf pending; /* an object that has begun */
    unsigned depth;
    bool in_string;
    bool escaped;
    /* Gets each whole object. A negative answer ends the stream with its err. */
    int (*object)(void *arg, struct faas_str text, struct faas_error *err);
    void *arg;
};

/* Takes the next bytes, cut anywhere. INVALID for bytes between objects, TOO_LARGE for an object
 * beyond 16 MiB. */
FAAS_NODISCARD int cli_json_stream_feed(struct cli_json_stream *s, struct faas_str data,
                                        struct faas_error *err);
void cli_json_stream_deinit(struct cli_json_stream *s);

#endif
