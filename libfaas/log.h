/* Structured records: a level, a constant message, typed fields.
 *
 *     faas_log_info(log, "forwarded", FAAS_F_STR("function", name), FAAS_F_INT("status", 200));
 *
 * One record is one line: JSON {"ts","level","component","msg",fields…} or, on a terminal, text for
 * people. A sink takes finished lines; any thread may log. Secrets are never fields. */
#ifndef FAAS_LOG_H
#define FAAS_LOG_H

#include "libfaas/buf.h"
#include "libfaas/clock.h"

enum faas_log_level { FAAS_LOG_DEBUG, FAAS_LOG_INFO, FAAS_LOG_WARN, FAAS_LOG_ERROR };
enum faas_log_format { FAAS_LOG_JSON, FAAS_LOG_HUMAN };

enum faas_field_type { FAAS_FIELD_STR, FAAS_FIELD_INT, FAAS_FIELD_DOUBLE, FAAS_FIELD_BOOL };

struct faas_field {
    const char *name;
    enum faas_field_type type;
    struct faas_str str;
    int64_t num;
    double real;
};

#define FAAS_F_STR(n, z) \
    ((struct faas_field){.name = (n), .type = FAAS_FIELD_STR, .str = faas_str_from(z)})
#define FAAS_F_STRN(n, s) ((struct faas_field){.name = (n), .type = FAAS_FIELD_STR, .str = (s)})
#define FAAS_F_INT(n, v)  ((struct faas_field){.name = (n), .type = FAAS_FIELD_INT, .num = (v)})
#define FAAS_F_BOOL(n, v) ((struct faas_field){.name = (n), .type = FAAS_FIELD_BOOL, .num = (v)})
#define FAAS_F_REAL(n, v) ((struct faas_field){.name = (n), .type = FAAS_FIELD_DOUBLE, .real = (v)})
#define FAAS_F_MS(n, v)   FAAS_F_INT(n, v)
#define FAAS_F_ERR(e)     FAAS_F_STR("error", (e)->msg)

struct faas_log_sink {
    /* Takes one finished line, newline included. Any thread; must not block for long. */
    void (*write)(void *self, struct faas_str line);
    void *self;
};

/* Copy freely: it borrows everything it points at. */
struct faas_log {
    const struct faas_log_sink *sink; /* NULL: records vanish */
    const struct faas_clock *clock;
    const char *component;
    enum faas_log_level level; /* records below it cost one comparison */
    enum faas_log_format format;
    bool colour;
};

/* One write(2) a record to fd 2, whole or (pipe full, disk full, reader gone) dropped and counted.
 * A record too long for a pipe to take at once (PIPE_BUF) goes in pieces and gives up after 100 ms
 * of a reader that does not read. The program must ignore SIGPIPE. */
extern const struct faas_log_sink faas_stderr_sink;
uint64_t faas_stderr_sink_dropped(void);

/* Logs to stderr: human and coloured when that is a terminal (and NO_COLOR unset), else JSON. */
void faas_log_init_stderr(struct faas_log *log, const char *component);
/* The same log under another component name. */
struct faas_log faas_log_named(const struct faas_log *log, const char *component);

void faas_log_write(const struct faas_log *log, enum faas_log_level level, const char *msg,
                    const struct faas_field *fields, size_t n);
/* Formats into out without writing; for sinks that batch (access log). */
void faas_log_format(struct faas_buf *out, const struct faas_log *log, enum faas_log_level level,
                     const char *msg, const struct faas_field *fields, size_t n);

#define FAAS_LOG_AT(log, lvl, msg, ...)                                          \
    do {                                                                         \
        if ((lvl) >= (log)->level) {                                             \
            const struct faas_field _f[] = {{0}, ##__VA_ARGS__};                 \
            faas_log_write((log), (lvl), (msg), _f + 1, FAAS_ARRAY_LEN(_f) - 1); \
        }                                                                        \
    } while (0)

#define faas_log_debug(log, msg, ...) FAAS_LOG_AT(log, FAAS_LOG_DEBUG, msg, ##__VA_ARGS__)
#define faas_log_info(log, msg, ...)  FAAS_LOG_AT(log, FAAS_LOG_INFO, msg, ##__VA_ARGS__)
#define faas_log_warn(log, msg, ...)  FAAS_LOG_AT(log, FAAS_LOG_WARN, msg, ##__VA_ARGS__)
#define faas_log_error(log, msg, ...) FAAS_LOG_AT(log, FAAS_LOG_ERROR, msg, ##__VA_ARGS__)

FAAS_NODISCARD int faas_log_level_parse(struct faas_str s, enum faas_log_level *out,
                                        struct faas_error *err);

/* Appends s as the inside of a JSON string (no quotes): escaped, invalid UTF-8 replaced. */
void faas_json_escape(struct faas_buf *out, struct faas_str s);

#endif
