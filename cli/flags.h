/* Command-line flags as users of faas-cli know them (GNU style, as Go's pflag reads it), driven
 * by const tables: one row gives name, letter, type, default and help text, and the place in a
 * struct that the value is stored at. A command composes its flags of several tables, each with
 * a struct of its own; a name that occurs in more than one of them is one flag, stored in all. */
#ifndef FAAS_CLI_FLAGS_H
#define FAAS_CLI_FLAGS_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

enum cli_flag_type {
    CLI_BOOL,     /* bool: bare is true, a value only as --flag=VALUE */
    CLI_STRING,   /* char *, heap; NULL unless given or defaulted */
    CLI_INT,      /* int64_t */
    CLI_DURATION, /* int64_t, milliseconds; written as Go durations */
    CLI_LIST,     /* struct faas_strv: one value an occurrence, commas are ordinary */
    CLI_PAIRS,    /* struct faas_map: KEY=VALUE an occurrence */
};

struct cli_flag {
    const char *name;
    char letter; /* 0: none */
    enum cli_flag_type type;
    size_t at;                  /* offsetof the value in the table's struct */
    const char *dflt;           /* as a user would write it; NULL: the type's zero */
    const char *shown_default;  /* for help, where the default is found out later */
    const char *arg;            /* what help calls the value; NULL for CLI_BOOL */
    const char *const *choices; /* NULL-terminated, CLI_STRING only: anything else is an error */
    const char *help;
};

struct cli_flag_set {
    const struct cli_flag *rows; /* the last has no name */
    void *base;                  /* the zeroed struct that this table's offsets are for */
};

/* Puts the defaults into every base. */
void cli_flags_init(const struct cli_flag_set *sets, size_t n_sets);
/* Reads argv (n strings, without program and command names); what is no flag goes to args. Flags
 * and arguments may be mixed, "--" ends the flags. INVALID names the flag; an unknown one comes
 * with the nearest known. */
FAAS_NODISCARD int cli_flags_parse(const struct cli_flag_set *sets, size_t n_sets,
                                   char *const *argv, size_t n, struct faas_strv *args,
                                   struct faas_error *err);
void cli_flags_deinit(const struct cli_flag_set *sets, size_t n_sets);

/* Splits one "KEY=VALUE": blanks around the whole are dropped, both sides must have something. */
FAAS_NODISCARD int cli_parse_pair(const char *item, struct faas_str *key, struct faas_str *value,
                                  struct faas_error *err);

#endif
