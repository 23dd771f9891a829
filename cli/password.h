/* Passwords as login commands take them. */
#ifndef FAAS_CLI_PASSWORD_H
#define FAAS_CLI_PASSWORD_H

#include "libfaas/error.h"

#include <stdbool.h>

struct cli_password_source {
    char *literal;   /* --password, or NULL */
    bool from_stdin; /* --password-stdin */
};

/* Without blanks around it. Heap; NULL with INVALID when there is none, or two. */
char *cli_password_read(const struct cli_password_source *s, struct faas_error *err);

#endif
