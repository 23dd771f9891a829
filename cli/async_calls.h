/* What "async" and "queue" ask the gateway. */
#ifndef FAAS_CLI_ASYNC_CALLS_H
#define FAAS_CLI_ASYNC_CALLS_H

#include "cli/client.h"

/* "/async-function/ID" and "/system/queues/NAME", with tail behind it. Heap. */
char *cli_async_path(const char *id, const char *tail) FAAS_NODISCARD;
char *cli_queue_path(const char *queue, const char *tail) FAAS_NODISCARD;
/* The error that an answer other than 2xx is, in the gateway's words. Always -1. */
int cli_async_refuse(const struct cli_client *c, const struct faas_fetch_resp *resp,
                     struct faas_error *err);
/* A call whose answer is 2xx; anything else is an error, in the gateway's words. body (may be NULL)
 * gets a JSON answer, to be released. */
FAAS_NODISCARD int cli_async_call(const struct cli_client *c, const char *method, const char *path,
                                  const struct faas_map *query, json_t **body,
                                  struct faas_error *err);

#endif
