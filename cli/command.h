/* What a command is. The const tables behind cli_root are the only list of commands: dispatch,
 * help and (from the same rows) whatever else wants to know them are derived from it. */
#ifndef FAAS_CLI_COMMAND_H
#define FAAS_CLI_COMMAND_H

#include "cli/flags.h"

struct cli;

/* One table of flags and where its struct lies in the command's options. */
struct cli_flag_group {
    const struct cli_flag *rows; /* the last has no name */
    size_t base;
};

enum { CLI_MAX_GROUPS = 16, CLI_MAX_ALIASES = 3 };

/* What a command's arguments name, for completion in shells. */
enum cli_completes {
    CLI_NOTHING,
    CLI_FUNCTIONS,
    CLI_SECRETS,
    CLI_NAMESPACES,
    CLI_QUEUES,
    CLI_STORE_FUNCTIONS,
    CLI_TEMPLATES,
    CLI_COMMANDS,
    CLI_FILES,
};

struct cli_command {
    const char *name;
    const char *aliases[CLI_MAX_ALIASES];
    const char *args;        /* "NAME", "[NAME]"; NULL: takes none */
    const char *summary;     /* one line, for the list of commands */
    const char *description; /* paragraphs */
    const char *example;     /* lines that work */
    enum cli_completes completes;
    size_t min_args;
    size_t max_args;
    size_t options_size; /* of the zeroed struct handed to run */
    struct cli_flag_group flags[CLI_MAX_GROUPS];
    /* NULL: a group, which shows its help. Failing with an empty message means that the
     * reasons have been told already. */
    int (*run)(struct cli *cli, void *options, struct faas_error *err);
    const struct cli_command *const *subcommands; /* NULL-terminated, or NULL */
    bool hidden;
};

extern const struct cli_command cli_root;
extern const struct cli_flag cli_global_flags[]; /* what every command has; offsets in struct cli */

/* The sub-command of that name or alias, or NULL. */
const struct cli_command *cli_command_find(const struct cli_command *parent, const char *word);
/* Finds the command that argv (without the program's name) asks for, reads its flags and runs it.
 */
FAAS_NODISCARD int cli_dispatch(const struct cli_command *root, char *const *argv, size_t n,
                                struct faas_error *err);

/* Help for one command; path is what to type to get there ("faas-cli secret create"). */
void cli_help_write(struct faas_buf *out, const struct cli_command *command, const char *path);
void cli_logo_write(struct faas_buf *out);

#endif
