/* The pure string operations behind ${V:1:2}, ${V^^}, ${V%glob} and ${V/a/b}. */
#ifndef FAAS_CLI_ENVSUBST_OPS_H
#define FAAS_CLI_ENVSUBST_OPS_H

#include "libfaas/buf.h"

struct cli_part {
    int64_t from; /* negative: counted from the end */
    int64_t length;
    bool has_length;
};

enum cli_trim {
    CLI_TRIM_SHORTEST_HEAD,
    CLI_TRIM_LONGEST_HEAD,
    CLI_TRIM_SHORTEST_TAIL,
    CLI_TRIM_LONGEST_TAIL,
};

enum cli_replace { CLI_REPLACE_FIRST, CLI_REPLACE_EVERY, CLI_REPLACE_HEAD, CLI_REPLACE_TAIL };

/* Clipped to what there is; a negative length counts from the end, as in bash. */
struct faas_str cli_substring(struct faas_str s, const struct cli_part *part);
/* Appends s with its first n bytes changed by toupper or tolower. */
void cli_change_case(struct faas_buf *out, struct faas_str s, size_t n, int (*change)(int));
/* s without the beginning or end that matches the glob. */
struct faas_str cli_trim_glob(struct faas_str s, const char *glob, enum cli_trim how);
/* Appends s with old replaced; an empty old changes nothing. */
void cli_replace_text(struct faas_buf *out, struct faas_str s, struct faas_str old,
                      struct faas_str new, enum cli_replace how);

#endif
