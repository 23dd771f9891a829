#include "cli/suggest.h"

#include "libfaas/macros.h"

enum { LONGEST = 32 };

/* Restricted edit distance: insert, delete, replace, swap two neighbours. */
static size_t distance(struct faas_str a, struct faas_str b)
{
    size_t d[LONGEST + 1][LONGEST + 1];

    for (size_t i = 0; i <= a.len; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= b.len; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = d[i - 1][j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t gap = FAAS_MIN(d[i - 1][j], d[i][j - 1]) + 1;
            size_t best = FAAS_MIN(change, gap);

            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                best = FAAS_MIN(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    }
    return d[a.len][b.len];
}

void cli_suggest_offer(struct cli_suggest *s, const char *word)
{
    struct faas_str known = faas_str_from(word);
    size_t far;

    if (s->wanted.len == 0 || s->wanted.len > LONGEST || known.len > LONGEST)
        return;
    far = faas_str_starts(known, s->wanted) ? 1 : distance(s->wanted, known);
    if (far <= (known.len + 2) / 3 && far < known.len && (!s->best || far < s->distance)) {
        s->best = word;
        s->distance = far;
    }
}
