/* "Did you mean": the nearest of some known words to a mistyped one. */
#ifndef FAAS_CLI_SUGGEST_H
#define FAAS_CLI_SUGGEST_H

#include "libfaas/str.h"

struct cli_suggest {
    struct faas_str wanted;
    const char *best; /* (borrowed) from the offers; NULL while none is near enough */
    size_t distance;
};

/* Considers one known word. Near is: a third of its letters wrong at most, swapped neighbours
 * counting as one mistake, or what was typed is its beginning. */
void cli_suggest_offer(struct cli_suggest *s, const char *word);

#endif
