/* What a shell can offer for a word of a command line: found out from the table of commands, so
 * that completion knows every command and flag there is. */
#ifndef FAAS_CLI_COMPLETE_H
#define FAAS_CLI_COMPLETE_H

#include "cli/command.h"

struct cli_completion {
    struct faas_strv offers;  /* "--gateway\tgateway to talk to"; all start like the word */
    enum cli_completes names; /* names of these would do too, behind before */
    struct faas_str before;   /* "--namespace=" when the value is part of the word; borrowed */
    struct faas_str typed;    /* of the name; borrowed */
    const char *gateway;      /* as the words before give them, or NULL; borrowed */
    const char *namespace_;
    const char *yaml;
};

/* words are those behind the program's name, the last is being typed and may be "". */
void cli_complete(struct cli_completion *out, const struct cli_command *root, char *const *words,
                  size_t n);
void cli_completion_deinit(struct cli_completion *c);

#endif
