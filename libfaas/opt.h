/* A program's settings as one const table: each row is an envpment variable,
 * a flag, a type, a default and its help, and fills one member of the program's
 * config struct. Parsing, validation that names the setting, and --help all come
 * from the row.
 *
 * Precedence: flag, then envpment, then default. Flags are the env name with
 * '_' written '-' unless the row says otherwise: --read-timeout=30s, --read-timeout 30s. A bool
 * flag stands alone (--basic-auth) or takes =true/=false. */
#ifndef FAAS_OPT_H
#define FAAS_OPT_H

#include "libfaas/buf.h"

enum faas_opt_type {
    FAAS_OPT_STRING,   /* char *, heap, owned by the config struct */
    FAAS_OPT_BOOL,     /* bool: true/false/1/0 */
    FAAS_OPT_INT,      /* int64_t, within [min, max] */
    FAAS_OPT_DURATION, /* int64_t milliseconds, within [min, max]; seconds or Go duration */
    FAAS_OPT_SIZE,     /* int64_t bytes, within [min, max] */
    FAAS_OPT_CHOICE,   /* int: index into choices */
};

struct faas_opt {
    const char *env;  /* NULL: flag only */
    const char *flag; /* without dashes; NULL: from env; "" : no flag */
    enum faas_opt_type type;
    size_t at;                  /* offsetof(struct config, member) */
    const char *dflt;           /* text as a user would write it; NULL: zero / NULL string */
    const char *const *choices; /* CHOICE: NULL-terminated */
    int64_t min, max;           /* INT, DURATION, SIZE; max 0 = no upper limit */
    const char *help;           /* one line */
    const char *group;          /* heading in --help; NULL continues the previous one */
};

/* Fills *config (zeroed by the caller). envp is the usual array. Flags are taken out of argv;
 * positionals are left in it and *argc is lowered, argv[0] kept. An unknown flag, a bad value or
 * one out of range fails with INVALID and names the flag or variable. An empty variable counts as
 * unset. */
FAAS_NODISCARD int faas_opt_parse(const struct faas_opt *table, size_t n, void *config, int *argc,
                                  char **argv, char *const *envp, struct faas_error *err);
/* Frees the STRING members. */
void faas_opt_deinit(const struct faas_opt *table, size_t n, void *config);
/* The table as text, grouped and aligned: flag, variable, default, help. */
void faas_opt_help(struct faas_buf *out, const struct faas_opt *table, size_t n);

#endif
