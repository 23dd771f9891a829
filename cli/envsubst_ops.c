#include "cli/envsubst_ops.h"

#include "libfaas/macros.h"

#include <fnmatch.h>

struct faas_str cli_substring(struct faas_str s, const struct cli_part *part)
{
    int64_t len = (int64_t)s.len;
    int64_t from = part->from < 0 ? FAAS_MAX(part->from + len, 0) : FAAS_MIN(part->from, len);
    int64_t left = len - from;
    int64_t n = left;

    if (part->has_length)
        n = part->length < 0 ? FAAS_MAX(left + part->length, 0) : FAAS_MIN(part->length, left);
    return (struct faas_str){.ptr = s.ptr + from, .len = (size_t)n};
}

void cli_change_case(struct faas_buf *out, struct faas_str s, size_t n, int (*change)(int))
{
    for (size_t i = 0; i < s.len; i++)
        faas_buf_append_c(out, i < n ? (char)change((unsigned char)s.ptr[i]) : s.ptr[i]);
}

static bool matches(const char *glob, struct faas_str s)
{
    _cleanup_free_ char *z = faas_str_dup(s);

    return fnmatch(glob, z, 0) == 0;
}

struct faas_str cli_trim_glob(struct faas_str s, const char *glob, enum cli_trim how)
{
    bool tail = how == CLI_TRIM_SHORTEST_TAIL || how == CLI_TRIM_LONGEST_TAIL;
    bool longest = how == CLI_TRIM_LONGEST_HEAD || how == CLI_TRIM_LONGEST_TAIL;

    for (size_t i = 0; i <= s.len; i++) {
        size_t cut = longest ? s.len - i : i;
        struct faas_str part = {.ptr = tail ? s.ptr + s.len - cut : s.ptr, .len = cut};

        if (matches(glob, part))
            return (struct faas_str){.ptr = tail ? s.ptr : s.ptr + cut, .len = s.len - cut};
    }
    return s;
}

/* Where old begins in s, or s.len. */
static size_t find(struct faas_str s, struct faas_str old)
{
    const char *at = memmem(s.ptr, s.len, old.ptr, old.len);

    return at ? (size_t)(at - s.ptr) : s.len;
}

static struct faas_str skip(struct faas_str s, size_t n)
{
    return (struct faas_str){.ptr = s.ptr + n, .len = s.len - n};
}

void cli_replace_text(struct faas_buf *out, struct faas_str s, struct faas_str old,
                      struct faas_str new, enum cli_replace how)
{
    bool more = old.len > 0 && !(how == CLI_REPLACE_HEAD && !faas_str_starts(s, old)) &&
                !(how == CLI_REPLACE_TAIL && !faas_str_ends(s, old));

    while (more) {
        size_t at = how == CLI_REPLACE_TAIL ? s.len - old.len : find(s, old);

        if (at == s.len)
            break;
        faas_buf_append(out, s.ptr, at);
        faas_buf_append_str(out, new);
        s = skip(s, at + old.len);
        more = how == CLI_REPLACE_EVERY;
    }
    faas_buf_append_str(out, s);
}
