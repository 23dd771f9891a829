/* static: files of a folder, without a process. */
#include "watchdog/executor.h"

#include "libfaas/alloc.h"
#include "libfaas/http_date.h"
#include "watchdog/mime.h"
#include "watchdog/sniff.h"
#include "watchdog/static_cond.h"
#include "watchdog/static_list.h"
#include "watchdog/static_path.h"
#include "watchdog/static_range.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_SIZE = 16 * 1024, /* more is not faster, and stays in memory */
    SNIFF_SIZE = 512,
    /* Heads of parts of a multipart answer, and what stands behind the last. */
    MAX_PIECES = 2 * WD_MAX_RANGES + 1,
    MAX_HEADERS = 8,
};

struct static_files {
    const struct wd_context *ctx;
    char chunk[READ_SIZE]; /* on its way from a file to a client */
};

/* The body is made of these: text, or else bytes of the file. */
struct piece {
    struct faas_str text; /* in the request's arena */
    int64_t from, len;
};

struct static_call {
    struct static_files *self;
    int fd; /* -1: none */
    struct piece *pieces;
    size_t n_pieces, at;
};

struct answer {
    int status;
    int64_t file_size;
    struct faas_http_header headers[MAX_HEADERS];
    size_t n_headers;
};

static void *static_create(const struct wd_context *ctx, struct faas_error *err)
{
    struct static_files *self;
    struct stat st;

    if (stat(ctx->config->static_path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        faas_fail_errno(err, FAAS_ERR_INVALID, errno ? errno : ENOTDIR, "static_path=\"%.160s\"",
                        ctx->config->static_path);
        return NULL;
    }
    self = faas_new(struct static_files);
    self->ctx = ctx;
    wd_logf(ctx->log, "Serving files at: %s", ctx->config->static_path);
    return self;
}

/* --- sending --- */

static void close_file(struct static_call *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

/* False: the file has become shorter than was announced. */
static bool send_some_of_file(struct wd_call *call, struct piece *p, size_t *backlog)
{
    struct static_call *c = call->data;
    ssize_t n = pread(c->fd, c->self->chunk, (size_t)FAAS_MIN(p->len, (int64_t)READ_SIZE), p->from);

    if (n <= 0)
        return false;
    p->from += n;
    p->len -= n;
    *backlog = wd_call_write(call, (struct faas_str){c->self->chunk, (size_t)n});
    return true;
}

/* As much as the client takes for now. */
static void send_pieces(struct wd_call *call)
{
    struct static_call *c = call->data;
    size_t backlog = 0;

    while (c->at < c->n_pieces && backlog <= FAAS_HTTP_HIGH_WATER) {
        struct piece *p = &c->pieces[c->at];

        if (p->text.len) {
            backlog = wd_call_write(call, p->text);
        } else if (p->len && !send_some_of_file(call, p, &backlog)) {
            close_file(c);
            wd_call_abort(call, 500);
            return;
        }
        if (p->text.len || !p->len)
            c->at++;
    }
    if (c->at < c->n_pieces)
        return;
    close_file(c);
    wd_call_end(call);
}

static void add_header(struct answer *a, const char *name, const char *value)
{
    a->headers[a->n_headers++] =
        (struct faas_http_header){faas_str_from(name), faas_str_from(value)};
}

static void send(struct wd_call *call, const struct answer *a)
{
    struct static_call *c = call->data;
    int64_t length = 0;

    for (size_t i = 0; i < c->n_pieces; i++)
        length += (int64_t)c->pieces[i].text.len + c->pieces[i].len;
    wd_call_judge_by_progress(call);
    if (a->status == 304) /* of the body that is not sent */
        length = a->file_size;
    wd_call_begin(call, a->status, a->headers, a->n_headers, length);
    if (faas_str_eqz(call->head->method, "HEAD"))
        c->at = c->n_pieces;
    send_pieces(call);
}

static void add_piece(struct static_call *c, struct piece p)
{
    c->pieces[c->n_pieces++] = p;
}

/* --- short answers --- */

static void finish_text(struct wd_call *call, int status, const char *text)
{
    static const struct faas_http_header headers[] = {
        {FAAS_STR_INIT("Content-Type"), FAAS_STR_INIT("text/plain; charset=utf-8")},
        {FAAS_STR_INIT("X-Content-Type-Options"), FAAS_STR_INIT("nosniff")},
    };
    struct faas_buf body = {0};

    close_file(call->data);
    faas_buf_append_z(&body, text);
    wd_call_finish(call, status, headers, FAAS_ARRAY_LEN(headers), &body);
}

static void finish_errno(struct wd_call *call, int failure)
{
    switch (failure) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: /* also what leads out of the folder */
    case EXDEV:
    case ENXIO:
        finish_text(call, 404, "404 page not found\n");
        break;
    case EACCES:
        finish_text(call, 403, "403 Forbidden\n");
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        finish_text(call, 503, "503 Service Unavailable\n");
        break;
    default:
        wd_logf(((struct static_call *)call->data)->self->ctx->log, "static: %s",
                strerror(failure));
        finish_text(call, 500, "500 Internal Server Error\n");
    }
}

/* where is relative to the request's path; its query goes with it. */
static void finish_moved(struct wd_call *call, const char *prefix, struct faas_str name,
                         const char *suffix)
{
    struct faas_str query = call->head->query;
    char *location = faas_asprintf("%s%.*s%s%s%.*s", prefix, FAAS_STR_FMT(name), suffix,
                                   query.ptr ? "?" : "", FAAS_STR_FMT(query));
    const struct faas_http_header header = {FAAS_STR("Location"), faas_str_from(location)};

    close_file(call->data);
    wd_call_finish(call, 301, &header, 1, NULL);
    free(location);
}

/* --- a file --- */

static const char *type_of(struct static_call *c, const char *path)
{
    const char *type = wd_mime_by_name(path);
    ssize_t n;

    if (type)
        return type;
    n = pread(c->fd, c->self->chunk, SNIFF_SIZE, 0);
    return wd_sniff_type((struct faas_str){c->self->chunk, n > 0 ? (size_t)n : 0});
}

static void add_part(struct wd_call *call, const struct wd_range *range, int64_t size,
                     const char *boundary, const char *type)
{
    struct faas_arena *arena = faas_http_req_arena(call->req);
    struct static_call *c = call->data;
    const char *head = faas_arena_printf(arena,
                                         "%s--%s\r\nContent-Range: bytes %" PRId64 "-%" PRId64
                                         "/%" PRId64 "\r\nContent-Type: %s\r\n\r\n",
                                         c->n_pieces ? "\r\n" : "", boundary, range->from,
                                         range->from + range->len - 1, size, type);

    add_piece(c, (struct piece){.text = faas_str_from(head)});
    add_piece(c, (struct piece){.from = range->from, .len = range->len});
}

/* Several parts: multipart/byteranges. */
static void send_parts(struct wd_call *call, struct answer *a, const struct wd_range *ranges,
                       size_t n, int64_t size, const char *type)
{
    struct faas_arena *arena = faas_http_req_arena(call->req);
    uint64_t random[2] = {0};
    const char *boundary;

    (void)!getrandom(random, sizeof(random), 0);
    boundary = faas_arena_printf(arena, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    add_header(a, "Content-Type",
               faas_arena_printf(arena, "multipart/byteranges; boundary=%s", boundary));
    for (size_t i = 0; i < n; i++)
        add_part(call, &ranges[i], size, boundary, type);
    add_piece(call->data, (struct piece){.text = faas_str_from(faas_arena_printf(
                                             arena, "\r\n--%s--\r\n", boundary))});
    send(call, a);
}

static void send_part(struct wd_call *call, struct answer *a, const struct wd_range *range,
                      int64_t size, const char *type)
{
    add_header(a, "Content-Type", type);
    if (range->len < size || a->status == 206)
        add_header(a, "Content-Range",
                   faas_arena_printf(faas_http_req_arena(call->req),
                                     "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range->from,
                                     range->from + range->len - 1, size));
    add_piece(call->data, (struct piece){.from = range->from, .len = range->len});
    send(call, a);
}

static void send_unsatisfiable(struct wd_call *call, struct answer *a, int64_t size)
{
    a->status = 416;
    add_header(a, "Content-Type", "text/plain; charset=utf-8");
    add_header(a, "Content-Range",
               faas_arena_printf(faas_http_req_arena(call->req), "bytes */%" PRId64, size));
    add_piece(call->data, (struct piece){.text = FAAS_STR("invalid range\n")});
    send(call, a);
}

static void send_file(struct wd_call *call, const char *path, const struct stat *st)
{
    const struct faas_http_head *head = call->head;
    struct static_call *c = call->data;
    bool is_read = faas_str_eqz(head->method, "GET") || faas_str_eqz(head->method, "HEAD");
    struct wd_range ranges[WD_MAX_RANGES];
    struct wd_validators validators;
    char modified[FAAS_HTTP_DATE_SIZE];
    struct answer a = {.file_size = st->st_size};
    struct faas_str range;
    enum wd_range_kind kind;
    size_t n;

    wd_validators_of(st, &validators);
    faas_http_date_format(validators.modified, modified);
    add_header(&a, "Accept-Ranges", "bytes");
    add_header(&a, "Last-Modified", modified);
    add_header(&a, "Etag", validators.etag);
    a.status = wd_check_conditions(head->headers, head->n_headers, is_read, &validators);
    if (a.status != 200) {
        send(call, &a);
        return;
    }
    range = wd_range_applies(head->headers, head->n_headers, &validators)
                ? faas_http_value(head->headers, head->n_headers, FAAS_STR("Range"))
                : (struct faas_str){0};
    kind = wd_parse_ranges(range, st->st_size, ranges, &n);
    if (kind == WD_RANGE_WHOLE) {
        send_part(call, &a, &(struct wd_range){.len = st->st_size}, st->st_size, type_of(c, path));
        return;
    }
    if (kind == WD_RANGE_UNSATISFIABLE) {
        send_unsatisfiable(call, &a, st->st_size);
        return;
    }
    a.status = 206;
    if (n == 1)
        send_part(call, &a, &ranges[0], st->st_size, type_of(c, path));
    else
        send_parts(call, &a, ranges, n, st->st_size, type_of(c, path));
}

/* --- a folder --- */

static void send_listing(struct wd_call *call)
{
    struct static_call *c = call->data;
    const struct wd_config *config = c->self->ctx->config;
    static const struct faas_http_header type = {FAAS_STR_INIT("Content-Type"),
                                                 FAAS_STR_INIT("text/html; charset=utf-8")};
    struct faas_buf page = {0};
    struct faas_error err = {0};
    int fd = c->fd;

    if (!config->static_listing) {
        finish_text(call, 404, "404 page not found\n");
        return;
    }
    c->fd = -1; /* taken */
    if (wd_static_list(fd, config->static_max_list ? config->static_max_list : SIZE_MAX, &page,
                       &err) < 0) {
        finish_errno(call, err.sys_errno);
        return;
    }
    wd_call_finish(call, 200, &type, 1, &page);
}

static int open_in(struct static_call *c, const char *path)
{
    const char *root = c->self->ctx->config->static_path;
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC); /* it may have been replaced */
    int fd = root_fd < 0 ? -1 : wd_open_beneath(root_fd, path);
    int failure = errno;

    if (root_fd >= 0)
        close(root_fd);
    errno = failure;
    return fd;
}

static void send_folder(struct wd_call *call, const char *path)
{
    struct static_call *c = call->data;
    const char *index = faas_arena_printf(faas_http_req_arena(call->req), "%s/index.html", path);
    int folder = c->fd;
    struct stat st;

    c->fd = open_in(c, index);
    if (c->fd >= 0 && fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        close(folder);
        send_file(call, index, &st);
        return;
    }
    close_file(c);
    c->fd = folder;
    send_listing(call);
}

/* --- the request --- */

/* What stands behind the path's last slash but a trailing one. */
static struct faas_str last_segment(struct faas_str path)
{
    ptrdiff_t slash;

    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    slash = faas_str_rfind(path, '/');
    return (struct faas_str){path.ptr + slash + 1, path.len - (size_t)(slash + 1)};
}

static void serve(struct wd_call *call, const char *path, const struct stat *st)
{
    struct faas_str raw = call->head->path;
    struct faas_str name = last_segment(raw);
    bool slash = faas_str_ends(raw, FAAS_STR("/"));
    bool like_a_scheme = faas_str_find(name, ':') >= 0;

    if (S_ISDIR(st->st_mode) && !slash)
        finish_moved(call, like_a_scheme ? "./" : "", name, "/");
    else if (S_ISDIR(st->st_mode))
        send_folder(call, path);
    else if (!S_ISREG(st->st_mode))
        finish_text(call, 404, "404 page not found\n");
    else if (slash)
        finish_moved(call, "../", name, "");
    else
        send_file(call, path, st);
}

static void static_handle(void *self, struct wd_call *call)
{
    struct faas_arena *arena = faas_http_req_arena(call->req);
    struct static_call *c = call->data;
    const char *path;
    struct stat st;

    c->self = self;
    c->fd = -1;
    faas_http_req_allow_half_close(call->req);
    c->pieces = faas_arena_alloc(arena, MAX_PIECES * sizeof(*c->pieces));
    if (!wd_static_clean(arena, call->head->path, &path)) {
        finish_text(call, 400, "400 the path cannot be decoded\n");
        return;
    }
    if (faas_str_ends(call->head->path, FAAS_STR("/index.html"))) {
        finish_moved(call, "./", FAAS_STR(""), "");
        return;
    }
    c->fd = open_in(c, path);
    if (c->fd < 0 || fstat(c->fd, &st) < 0)
        finish_errno(call, errno);
    else
        serve(call, path, &st);
}

static size_t static_on_body(struct wd_call *call, struct faas_str data)
{
    (void)call;
    return data.len; /* nobody asked for it */
}

static void static_on_body_over(struct wd_call *call)
{
    (void)call;
}

static void static_release(struct wd_call *call)
{
    close_file(call->data);
}

static void static_on_client_gone(struct wd_call *call, const char *why)
{
    (void)why;
    static_release(call);
    wd_call_end(call);
}

const struct wd_executor_ops wd_static_executor = {
    .call_size = sizeof(struct static_call),
    .create = static_create,
    .destroy = free,
    .handle = static_handle,
    .on_drain = send_pieces,
    .on_body = static_on_body,
    .on_body_end = static_on_body_over,
    .on_body_timeout = static_on_body_over,
    .on_client_gone = static_on_client_gone,
    .release = static_release,
};
