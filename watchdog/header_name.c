#include "watchdog/header_name.h"

#include "libfaas/macros.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

void wd_canonical_name(char *out, struct faas_str name)
{
    bool first = true;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (first ? is_lower(c) : is_upper(c))
            c ^= 0x20;
        out[i] = c;
        first = c == '-';
    }
}

bool wd_header_is_hidden(struct faas_str name)
{
    static const struct faas_str hidden[] = {
        FAAS_STR_INIT("Host"),
        FAAS_STR_INIT("Transfer-Encoding"),
        FAAS_STR_INIT("Trailer"),
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(hidden); i++)
        if (faas_str_ieq(name, hidden[i]))
            return true;
    return false;
}
