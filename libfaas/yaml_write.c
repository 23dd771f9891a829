#include "libfaas/yaml.h"

#include "libfaas/utf8.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Words that some YAML reader takes for something that is not a string. */
static bool is_special_word(const char *s)
{
    static const char *const words[] = {"null", "true", "false", "yes",  "no",  "on",
                                        "off",  "y",    "n",     ".nan", ".inf"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(words); i++) {
        if (strcasecmp(s, words[i]) == 0)
            return true;
    }
    return false;
}

/* Numbers, times, versions, addresses: not worth telling apart. */
static bool looks_like_a_number(const char *s)
{
    return strchr("0123456789.+-", *s) && s[strspn(s, "0123456789abcdefABCDEFxXoO_.:+-TZ")] == '\0';
}

static bool may_stand_plain(const char *s)
{
    size_t n = strlen(s);

    if (n == 0 || !strchr(ALNUM "/._", s[0]) || s[n - 1] == ':' || s[n - 1] == ' ')
        return false;
    if (s[strspn(s, ALNUM "/._-+@=:,~ ")] != '\0' || strstr(s, ": "))
        return false;
    return !is_special_word(s) && !looks_like_a_number(s);
}

static bool is_printable(uint32_t cp)
{
    return (cp >= 0x20 && cp < 0x7f) || (cp >= 0xa0 && cp != 0x2028 && cp != 0x2029 &&
                                         cp != 0xfeff && cp != 0xfffe && cp != 0xffff);
}

static void write_char(struct faas_buf *out, uint32_t cp, struct faas_str bytes)
{
    if (cp == '"' || cp == '\\')
        faas_buf_printf(out, "\\%c", (char)cp);
    else if (cp == '\n')
        faas_buf_append_z(out, "\\n");
    else if (cp == '\t')
        faas_buf_append_z(out, "\\t");
    else if (is_printable(cp))
        faas_buf_append_str(out, bytes);
    else
        faas_buf_printf(out, "\\u%04x", cp);
}

void faas_yaml_scalar(struct faas_buf *out, const char *s)
{
    struct faas_str rest = faas_str_from(s);

    if (may_stand_plain(s)) {
        faas_buf_append_z(out, s);
        return;
    }
    faas_buf_append_c(out, '"');
    while (rest.len > 0) {
        uint32_t cp;
        bool valid;
        size_t n = faas_utf8_next(rest, &cp, &valid);
        struct faas_str bytes = {.ptr = rest.ptr, .len = n};

        write_char(out, cp, valid ? bytes : FAAS_STR("\xef\xbf\xbd"));
        rest = (struct faas_str){.ptr = rest.ptr + n, .len = rest.len - n};
    }
    faas_buf_append_c(out, '"');
}
