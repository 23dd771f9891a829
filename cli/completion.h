/* The scripts that make shells complete faas-cli's command lines. */
#ifndef FAAS_CLI_COMPLETION_H
#define FAAS_CLI_COMPLETION_H

extern const char *const cli_completion_shells[]; /* NULL-terminated */
/* NULL for a shell that is none of those. */
const char *cli_completion_script(const char *shell);

#endif
