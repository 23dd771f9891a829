#include "cli/timefmt.h"

#include "libfaas/macros.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

static const struct {
    const char *name;
    const char *layout;
} names[] = {
    {"ansic", "Mon Jan _2 15:04:05 2006"},
    {"unixdate", "Mon Jan _2 15:04:05 MST 2006"},
    {"rubydate", "Mon Jan 02 15:04:05 -0700 2006"},
    {"rfc822", "02 Jan 06 15:04 MST"},
    {"rfc822z", "02 Jan 06 15:04 -0700"},
    {"rfc850", "Monday, 02-Jan-06 15:04:05 MST"},
    {"rfc1123", "Mon, 02 Jan 2006 15:04:05 MST"},
    {"rfc1123z", "Mon, 02 Jan 2006 15:04:05 -0700"},
    {"rfc3339", "2006-01-02T15:04:05Z07:00"},
    {"rfc3339nano", "2006-01-02T15:04:05.999999999Z07:00"},
};

/* What stands in a layout, and strftime's word for it, or text. Longer ones come first. */
static const struct {
    const char *in_layout;
    const char *strftime_format;
} tokens[] = {
    {"January", "%B"}, {"Monday", "%A"}, {"-07:00", "+00:00"}, {"Z07:00", "Z"}, {"-0700", "+0000"},
    {"Z0700", "Z"},    {"2006", "%Y"},   {"Jan", "%b"},        {"Mon", "%a"},   {"MST", "UTC"},
    {"002", "%j"},     {"-07", "+00"},   {"Z07", "Z"},         {"01", "%m"},    {"02", "%d"},
    {"_2", "%e"},      {"15", "%H"},     {"03", "%I"},         {"04", "%M"},    {"05", "%S"},
    {"06", "%y"},      {"PM", "%p"},     {"pm", "%P"},         {"1", "%-m"},    {"2", "%-d"},
    {"3", "%-I"},      {"4", "%-M"},     {"5", "%-S"},
};

const char *cli_time_layout(const char *name_or_layout)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (strcasecmp(name_or_layout, names[i].name) == 0)
            return names[i].layout;
    return name_or_layout;
}

/* ".000" or ".999" behind seconds: so many digits, the nines without zeros at their end. Returns
 * how much of the layout that was. */
static size_t format_fraction(struct faas_buf *out, int64_t ns, const char *layout)
{
    char digits[16];
    size_t n;

    if ((layout[0] != '.' && layout[0] != ',') || (layout[1] != '0' && layout[1] != '9'))
        return 0;
    n = strspn(layout + 1, layout[1] == '0' ? "0" : "9");
    if (n > 9 || (layout[1 + n] >= '0' && layout[1 + n] <= '9'))
        return 0;
    snprintf(digits, sizeof(digits), "%09lld", (long long)(ns % 1000000000));
    digits[n] = '\0';
    for (size_t end = n; layout[1] == '9' && end > 0 && digits[end - 1] == '0'; end--)
        digits[end - 1] = '\0';
    if (digits[0])
        faas_buf_printf(out, "%c%s", layout[0], digits);
    return n + 1;
}

/* Returns how much of the layout the token was, or 0. */
static size_t format_token(struct faas_buf *out, const struct tm *tm, const char *layout)
{
    char text[64];

    for (size_t i = 0; i < FAAS_ARRAY_LEN(tokens); i++) {
        size_t len = strlen(tokens[i].in_layout);

        if (strncmp(layout, tokens[i].in_layout, len) != 0)
            continue;
        if (tokens[i].strftime_format[0] == '%') {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            strftime(text, sizeof(text), tokens[i].strftime_format, tm);
#pragma GCC diagnostic pop
            faas_buf_append_z(out, text);
        } else {
            faas_buf_append_z(out, tokens[i].strftime_format);
        }
        return len;
    }
    return 0;
}

void cli_time_format(struct faas_buf *out, int64_t real_ns, const char *layout)
{
    int64_t fraction = (real_ns % 1000000000 + 1000000000) % 1000000000;
    time_t seconds = (time_t)((real_ns - fraction) / 1000000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    while (*layout) {
        size_t used = format_fraction(out, fraction, layout);

        if (used == 0)
            used = format_token(out, &tm, layout);
        if (used == 0) {
            faas_buf_append_c(out, *layout);
            used = 1;
        }
        layout += used;
    }
}
