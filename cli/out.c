#include "cli/out.h"

#include <ctype.h>
#include <errno.h>
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

void cli_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
}

void cli_note(const char *fmt, ...)
{
    va_list ap;

    /* What stdout says first is seen first. */
    fflush(stdout);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

void cli_paint(FILE *stream, enum cli_colour colour, const char *fmt, ...)
{
    _cleanup_buf_ struct faas_buf text = {0};
    const char *on = colourful(stream) ? sequence(colour) : NULL;
    const char *feed = "";
    va_list ap;

    va_start(ap, fmt);
    faas_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (on && text.len && text.data[text.len - 1] == '\n') {
        text.data[--text.len] = '\0';
        feed = "\n";
    }
    if (stream == stderr)
        fflush(stdout);
    fprintf(stream, "%s%s%s%s", on ? on : "", text.data ? text.data : "", on ? "\033[0m" : "",
            feed);
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
    fwrite(data.ptr, 1, data.len, stdout);
}

int cli_flush(struct faas_error *err)
{
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot write to standard output");
    return failed ? faas_fail(err, FAAS_ERR_INTERNAL, "cannot write to standard output") : 0;
}
