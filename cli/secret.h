/* What the secret commands share: where a value comes from, and the calls that carry it. */
#ifndef FAAS_CLI_SECRET_H
#define FAAS_CLI_SECRET_H

#include "cli/client.h"

struct cli_secret_source {
    char *from_literal;
    char *from_file;
    bool trim;
};

extern const struct cli_flag cli_secret_source_flags[];

/* A value as it is sent. Wiped by cli_secret_value_deinit(). */
struct cli_secret_value {
    struct faas_buf text; /* trimmed when that was asked for */
    struct faas_buf raw;  /* the untouched bytes of a file, to be sent beside; empty otherwise */
};

/* From the flag, the file, or standard input. An empty value is refused. */
FAAS_NODISCARD int cli_secret_value_read(struct cli_secret_value *v,
                                         const struct cli_secret_source *source,
                                         struct faas_error *err);
void cli_secret_value_deinit(struct cli_secret_value *v);

struct cli_secret_call {
    const char *method;
    const char *name;
    const char *namespace_;               /* NULL or "": the gateway's default */
    const struct cli_secret_value *value; /* NULL: none */
};

/* Sends it to /system/secrets and says with which status it was accepted. CONFLICT when there is
 * one already, NOT_FOUND when there is none; any other refusal has been told. */
FAAS_NODISCARD int cli_secret_send(const struct cli_client *c, const struct cli_secret_call *call,
                                   int *status, struct faas_error *err);

#define _cleanup_secret_value_ _cleanup_(cli_secret_value_deinit)

#endif
