#include "cli/out.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static bool colourful(FILE *stream)
{
    const char *no = getenv("NO_COLOR");

    return !(no && *no) && isatty(fileno(stream));
}

static const char *sequence(enum cli_colour colour)
{
    switch (colour) {
    case CLI_RED:
        return "\033[31m";
    case CLI_YELLOW:
        return "\033[33m";
    case CLI_BLUE:
        return "\033[34m";
    case CLI_PLAIN:
        break;
    }
    return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of live, and of what is written */
static const struct cli_live *live;

void cli_out_set_live(const struct cli_live *l)
{
    pthread_mutex_lock(&lock);
    if (live)
        live->erase(live->arg);
    live = l;
    if (live)
        live->draw(live->arg);
    pthread_mutex_unlock(&lock);
}

void cli_out_redraw(void)
{
    pthread_mutex_lock(&lock);
    if (live) {
        live->erase(live->arg);
        live->draw(live->arg);
    }
    pthread_mutex_unlock(&lock);
}

/* All at once, above the live lines. What stdout says first is seen first. */
static void say(FILE *stream, struct faas_str text)
{
    pthread_mutex_lock(&lock);
    if (live)
        live->erase(live->arg);
    if (stream == stderr)
        fflush(stdout);
    if (text.len)
        fwrite(text.ptr, 1, text.len, stream);
    if (live)
        live->draw(live->arg);
    pthread_mutex_unlock(&lock);
}

FAAS_PRINTF(2, 0)
static void vsay(FILE *stream, const char *fmt, va_list ap)
{
    _cleanup_buf_ struct faas_buf text = {0};

    faas_buf_vprintf(&text, fmt, ap);
    say(stream, faas_buf_str(&text));
}

void cli_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsay(stdout, fmt, ap);
    va_end(ap);
}

void cli_note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsay(stderr, fmt, ap);
    va_end(ap);
}

void cli_log(const char *fmt, ...)
{
    _cleanup_buf_ struct faas_buf text = {0};
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32];
    va_list ap;

    strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S", localtime_r(&now, &tm));
    va_start(ap, fmt);
    faas_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    cli_note("%s %s\n", stamp, text.data ? text.data : "");
}

void cli_hint(const char *fmt, ...)
{
    va_list ap;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(ap, fmt);
    vsay(stderr, fmt, ap);
    va_end(ap);
}

void cli_paint(FILE *stream, enum cli_colour colour, const char *fmt, ...)
{
    _cleanup_buf_ struct faas_buf text = {0};
    const char *on = colourful(stream) ? sequence(colour) : NULL;
    bool feed;
    va_list ap;

    if (on)
        faas_buf_append_z(&text, on);
    va_start(ap, fmt);
    faas_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    feed = on && text.data[text.len - 1] == '\n';
    if (on) {
        text.len -= feed;
        faas_buf_append_z(&text, "\033[0m");
    }
    if (feed)
        faas_buf_append_c(&text, '\n');
    say(stream, faas_buf_str(&text));
}

/* A sentence, not one that begins with the name of a file. */
static bool begins_with_a_word(const char *msg)
{
    return strcspn(msg, "./[") >= strcspn(msg, " ");
}

void cli_print_error(const char *msg)
{
    size_t len = strlen(msg);
    char first = msg[0];

    if (len == 0)
        return;
    if (begins_with_a_word(msg))
        first = (char)toupper((unsigned char)first);
    cli_note("%c%s%s", first, msg + 1, msg[len - 1] == '\n' ? "" : "\n");
}

void cli_write(struct faas_str data)
{
    say(stdout, data);
}

int cli_flush(struct faas_error *err)
{
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot write to standard output");
    return failed ? faas_fail(err, FAAS_ERR_INTERNAL, "cannot write to standard output") : 0;
}
