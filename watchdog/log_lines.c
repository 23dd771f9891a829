#include "watchdog/log_lines.h"

static void log_piece(const struct wd_log_lines *lines, struct faas_str text)
{
    wd_log_line(lines->log, lines->to_stdout, lines->stream, text);
}

static void log_end_of_line(const struct wd_log_lines *lines, struct faas_str text)
{
    if (text.len && text.ptr[text.len - 1] == '\r')
        text.len--;
    log_piece(lines, text);
}

static void skip(struct faas_str *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

/* What is too long by it is logged; a line that is just full waits for its newline. */
static void add(struct wd_log_lines *lines, struct faas_str text)
{
    struct faas_buf *unfinished = &lines->unfinished;

    while (text.len) {
        size_t n = FAAS_MIN(text.len, lines->max_line - unfinished->len);

        faas_buf_append(unfinished, text.ptr, n);
        skip(&text, n);
        if (text.len == 0)
            return;
        log_piece(lines, faas_buf_str(unfinished));
        faas_buf_clear(unfinished);
    }
}

static void finish_line(struct wd_log_lines *lines, struct faas_str text)
{
    if (lines->unfinished.len == 0 && text.len <= lines->max_line) {
        log_end_of_line(lines, text);
        return;
    }
    add(lines, text);
    log_end_of_line(lines, faas_buf_str(&lines->unfinished));
    faas_buf_clear(&lines->unfinished);
}

void wd_log_lines_feed(struct wd_log_lines *lines, struct faas_str data)
{
    const char *newline;

    while ((newline = data.len ? memchr(data.ptr, '\n', data.len) : NULL)) {
        size_t n = (size_t)(newline - data.ptr);

        finish_line(lines, (struct faas_str){.ptr = data.ptr, .len = n});
        skip(&data, n + 1);
    }
    add(lines, data);
}

void wd_log_lines_end(struct wd_log_lines *lines)
{
    if (lines->unfinished.len)
        log_end_of_line(lines, faas_buf_str(&lines->unfinished));
    faas_buf_deinit(&lines->unfinished);
}
