#include "cli/progress.h"

#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_MS = 100, MAX_LINE = 512, DEFAULT_WIDTH = 80 };

struct row {
    const char *name; /* NULL: nothing is being built */
    int64_t since_ms;
    char line[MAX_LINE];
    size_t line_len;
};

struct cli_progress {
    pthread_mutex_t lock; /* of the rows and stopping; taken after that of out.c */
    pthread_cond_t stop;
    bool stopping;
    bool has_ticker;
    pthread_t ticker;
    struct cli_live live;
    size_t drawn; /* rows on the terminal; under the lock of out.c */
    size_t n;
    struct row rows[];
};

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : DEFAULT_WIDTH;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where the escape sequence that begins at i ends. */
static size_t skip_escape(struct faas_str s, size_t i)
{
    if (i + 1 < s.len && s.ptr[i + 1] == '[') {
        i += 2;
        while (i < s.len && (unsigned char)s.ptr[i] < 0x40)
            i++;
    }
    return i + 1;
}

/* Appends up to max columns, counting every character as one. */
static void append_columns(struct faas_buf *out, struct faas_str s, size_t max)
{
    size_t columns = 0;

    for (size_t i = 0; i < s.len;) {
        char c = s.ptr[i];

        if (c == '\033') {
            i = skip_escape(s, i);
            continue;
        }
        if (!is_continuation(c) && ++columns > max)
            return;
        faas_buf_append_c(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
        i++;
    }
}

void cli_progress_row(struct faas_buf *out, const char *name, double seconds, struct faas_str line,
                      size_t width)
{
    _cleanup_buf_ struct faas_buf text = {0};

    faas_buf_printf(&text, "  %s  %.1fs  ", name, seconds);
    faas_buf_append_str(&text, line);
    append_columns(out, faas_buf_str(&text), width);
}

static void erase(void *arg)
{
    struct cli_progress *p = arg;

    if (p->drawn)
        printf("\033[%zuA\r\033[J", p->drawn);
    p->drawn = 0;
}

static void draw(void *arg)
{
    struct cli_progress *p = arg;
    int64_t now_ms = faas_now_ms(&faas_system_clock);
    size_t width = terminal_width() - 1; /* a full line would wrap */
    _cleanup_buf_ struct faas_buf text = {0};

    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n; i++) {
        const struct row *r = &p->rows[i];

        if (!r->name)
            continue;
        cli_progress_row(&text, r->name, (double)(now_ms - r->since_ms) / 1000,
                         (struct faas_str){.ptr = r->line, .len = r->line_len}, width);
        faas_buf_append_c(&text, '\n');
        p->drawn++;
    }
    pthread_mutex_unlock(&p->lock);
    if (text.len)
        fwrite(text.data, 1, text.len, stdout);
    fflush(stdout);
}

static void *tick(void *arg)
{
    struct cli_progress *p = arg;

    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += REDRAW_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&p->stop, &p->lock, &until);
        pthread_mutex_unlock(&p->lock);
        cli_out_redraw();
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct cli_progress *cli_progress_new(size_t n_workers)
{
    const char *term = getenv("TERM");
    struct cli_progress *p;

    if (!isatty(STDOUT_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
        return NULL;
    p = faas_zalloc(sizeof(*p) + n_workers * sizeof(*p->rows));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->stop, NULL);
    p->n = n_workers;
    p->live = (struct cli_live){.erase = erase, .draw = draw, .arg = p};
    cli_out_set_live(&p->live);
    /* Without a thread of its own it is drawn whenever something is said. */
    p->has_ticker = pthread_create(&p->ticker, NULL, tick, p) == 0;
    return p;
}

void cli_progress_free(struct cli_progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->stop);
    pthread_mutex_unlock(&p->lock);
    if (p->has_ticker)
        pthread_join(p->ticker, NULL);
    cli_out_set_live(NULL);
    pthread_cond_destroy(&p->stop);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void cli_progress_begin(struct cli_progress *p, size_t worker, const char *name)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->rows[worker] = (struct row){.name = name, .since_ms = faas_now_ms(&faas_system_clock)};
    pthread_mutex_unlock(&p->lock);
}

void cli_progress_line(struct cli_progress *p, size_t worker, struct faas_str line)
{
    struct row *r;

    if (!p || faas_str_trim(line).len == 0)
        return;
    pthread_mutex_lock(&p->lock);
    r = &p->rows[worker];
    r->line_len = FAAS_MIN(line.len, sizeof(r->line));
    memcpy(r->line, line.ptr, r->line_len);
    pthread_mutex_unlock(&p->lock);
}

void cli_progress_end(struct cli_progress *p, size_t worker)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->rows[worker].name = NULL;
    pthread_mutex_unlock(&p->lock);
}
