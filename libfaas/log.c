#include "libfaas/log.h"

#include "libfaas/utf8.h"

#include <math.h>

#define SECOND_NS 1000000000LL

static const struct {
    const char *name;
    const char *human; /* of one width */
    const char *colour;
} levels[] = {
    [FAAS_LOG_DEBUG] = {.name = "debug", .human = "DEBUG", .colour = "\033[2m"},
    [FAAS_LOG_INFO] = {.name = "info", .human = "INFO ", .colour = "\033[32m"},
    [FAAS_LOG_WARN] = {.name = "warn", .human = "WARN ", .colour = "\033[33m"},
    [FAAS_LOG_ERROR] = {.name = "error", .human = "ERROR", .colour = "\033[31m"},
};

int faas_log_level_parse(struct faas_str s, enum faas_log_level *out, struct faas_error *err)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(levels); i++) {
        if (faas_str_eqz(s, levels[i].name)) {
            *out = (enum faas_log_level)i;
            return 0;
        }
    }
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not one of debug, info, warn, error",
                     (int)FAAS_MIN(s.len, (size_t)32), s.ptr);
}

struct faas_log faas_log_named(const struct faas_log *log, const char *component)
{
    struct faas_log named = *log;

    named.component = component;
    return named;
}

static void escape_code(struct faas_buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    faas_buf_append(out, text, sizeof(text));
}

static void escape_ascii(struct faas_buf *out, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *at = memchr(from, c, sizeof(from) - 1);

    if (!at) {
        escape_code(out, c);
        return;
    }
    faas_buf_append_c(out, '\\');
    faas_buf_append_c(out, to[at - from]);
}

/* Escapes the first character of s, which is not plain. Returns how many bytes that was. */
static size_t escape_one(struct faas_buf *out, struct faas_str s)
{
    bool valid;
    uint32_t cp;
    size_t len = faas_utf8_next(s, &cp, &valid);

    if (!valid)
        faas_buf_append_z(out, "\xef\xbf\xbd"); /* U+FFFD, for each byte that makes no sense */
    else if (cp < 0x80)
        escape_ascii(out, (unsigned char)cp);
    else if (cp < 0xa0)
        escape_code(out, (unsigned char)cp); /* C1 controls: terminals act on them */
    else
        faas_buf_append(out, s.ptr, len);
    return len;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void faas_json_escape(struct faas_buf *out, struct faas_str s)
{
    size_t i = 0, start = 0;

    while (i < s.len) {
        if (FAAS_LIKELY(is_plain((unsigned char)s.ptr[i]))) {
            i++;
            continue;
        }
        faas_buf_append(out, s.ptr + start, i - start);
        i += escape_one(out, (struct faas_str){.ptr = s.ptr + i, .len = s.len - i});
        start = i;
    }
    if (i > start)
        faas_buf_append(out, s.ptr + start, i - start);
}

/* The calendar is worked out once a second and thread; records differ in their milliseconds. */
static void append_time(struct faas_buf *out, const struct faas_log *log)
{
    static _Thread_local struct {
        int64_t second;
        char text[32];
    } last;
    const struct faas_clock *clock = log->clock ? log->clock : &faas_system_clock;
    int64_t now = FAAS_MAX(clock->realtime_ns(clock->self), (int64_t)0);
    unsigned ms = (unsigned)(now % SECOND_NS / 1000000);

    if (now / SECOND_NS != last.second || last.text[0] == '\0') {
        faas_format_time(now, last.text);
        last.second = now / SECOND_NS;
    }
    last.text[20] = (char)('0' + ms / 100);
    last.text[21] = (char)('0' + ms / 10 % 10);
    last.text[22] = (char)('0' + ms % 10);
    faas_buf_append(out, last.text, 24);
}

static void append_int(struct faas_buf *out, int64_t n)
{
    if (n < 0)
        faas_buf_append_c(out, '-');
    faas_buf_append_u64(out, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* Six decimals without trailing zeros where that says enough, else what printf makes of it. */
static void append_real(struct faas_buf *out, double v)
{
    double size = fabs(v);
    uint64_t micro, frac;
    char digits[7] = ".";

    if (!isfinite(v)) {
        faas_buf_append_z(out, "null"); /* JSON has no other word for it */
        return;
    }
    if (size != 0 && (size < 1e-3 || size > 1e12)) {
        faas_buf_printf(out, "%.9g", v);
        return;
    }
    micro = (uint64_t)llround(size * 1e6);
    frac = micro % 1000000;
    if (v < 0)
        faas_buf_append_c(out, '-');
    faas_buf_append_u64(out, micro / 1000000);
    if (frac == 0)
        return;
    for (size_t i = 6; i > 0; i--, frac /= 10)
        digits[i] = (char)('0' + frac % 10);
    for (frac = 7; digits[frac - 1] == '0';)
        frac--;
    faas_buf_append(out, digits, frac);
}

/* Everything but strings, which the two formats quote differently. */
static void append_number(struct faas_buf *out, const struct faas_field *f)
{
    if (f->type == FAAS_FIELD_INT)
        append_int(out, f->num);
    else if (f->type == FAAS_FIELD_DOUBLE)
        append_real(out, f->real);
    else
        faas_buf_append_z(out, f->num ? "true" : "false");
}

static void append_quoted(struct faas_buf *out, struct faas_str s)
{
    faas_buf_append_c(out, '"');
    faas_json_escape(out, s);
    faas_buf_append_c(out, '"');
}

static void format_json(struct faas_buf *out, const struct faas_log *log, enum faas_log_level level,
                        const char *msg, const struct faas_field *fields, size_t n)
{
    faas_buf_append_str(out, FAAS_STR("{\"ts\":\""));
    append_time(out, log);
    faas_buf_append_str(out, FAAS_STR("\",\"level\":\""));
    faas_buf_append_z(out, levels[level].name);
    if (log->component) {
        faas_buf_append_str(out, FAAS_STR("\",\"component\":\""));
        faas_json_escape(out, faas_str_from(log->component));
    }
    faas_buf_append_str(out, FAAS_STR("\",\"msg\":"));
    append_quoted(out, faas_str_from(msg));
    for (size_t i = 0; i < n; i++) {
        faas_buf_append_str(out, FAAS_STR(",\""));
        faas_buf_append_z(out, fields[i].name); /* our own constant */
        faas_buf_append_str(out, FAAS_STR("\":"));
        if (fields[i].type == FAAS_FIELD_STR)
            append_quoted(out, fields[i].str);
        else
            append_number(out, &fields[i]);
    }
    faas_buf_append_str(out, FAAS_STR("}\n"));
}

/* Quotes only what would be misread, or would do something to the terminal. */
static void append_human_str(struct faas_buf *out, struct faas_str s)
{
    bool plain = s.len > 0;

    for (size_t i = 0; i < s.len && plain; i++)
        plain = is_plain((unsigned char)s.ptr[i]) && s.ptr[i] != ' ' && s.ptr[i] != '=';
    if (plain)
        faas_buf_append_str(out, s);
    else
        append_quoted(out, s);
}

static void format_human(struct faas_buf *out, const struct faas_log *log,
                         enum faas_log_level level, const char *msg,
                         const struct faas_field *fields, size_t n)
{
    const char *off = log->colour ? "\033[0m" : "";

    append_time(out, log);
    faas_buf_append_c(out, ' ');
    faas_buf_append_z(out, log->colour ? levels[level].colour : "");
    faas_buf_append_z(out, levels[level].human);
    faas_buf_append_z(out, off);
    faas_buf_append_c(out, ' ');
    if (log->component) {
        faas_buf_append_z(out, log->component);
        faas_buf_append_str(out, FAAS_STR(": "));
    }
    faas_json_escape(out, faas_str_from(msg));
    for (size_t i = 0; i < n; i++) {
        faas_buf_append_c(out, ' ');
        faas_buf_append_z(out, log->colour ? "\033[2m" : "");
        faas_buf_append_z(out, fields[i].name);
        faas_buf_append_c(out, '=');
        faas_buf_append_z(out, off);
        if (fields[i].type == FAAS_FIELD_STR)
            append_human_str(out, fields[i].str);
        else
            append_number(out, &fields[i]);
    }
    faas_buf_append_c(out, '\n');
}

void faas_log_format(struct faas_buf *out, const struct faas_log *log, enum faas_log_level level,
                     const char *msg, const struct faas_field *fields, size_t n)
{
    if (log->format == FAAS_LOG_HUMAN)
        format_human(out, log, level, msg, fields, n);
    else
        format_json(out, log, level, msg, fields, n);
}

void faas_log_write(const struct faas_log *log, enum faas_log_level level, const char *msg,
                    const struct faas_field *fields, size_t n)
{
    _cleanup_buf_ struct faas_buf line = {0};

    if (!log->sink || level < log->level)
        return;
    faas_buf_reserve(&line, 511);
    faas_log_format(&line, log, level, msg, fields, n);
    log->sink->write(log->sink->self, faas_buf_str(&line));
}
