/* Writing files that a user names, or may have put elsewhere. */
#ifndef FAAS_CLI_SAVE_H
#define FAAS_CLI_SAVE_H

#include "libfaas/str.h"

#include <sys/types.h>

/* Replaces the file as faas_file_replace() does, but what a symbolic link leads to instead of the
 * link, and writes into what is no file, such as /dev/stdout or a pipe. */
FAAS_NODISCARD int cli_save(const char *path, struct faas_str data, mode_t mode,
                            struct faas_error *err);

#endif
