#include "providers/local/lines.h"

void local_lines_deinit(struct local_lines *l)
{
    faas_buf_deinit(&l->pending);
}

/* Where to cut a run of n bytes so that no UTF-8 character is torn, if that is what it holds. */
static size_t cut_at(const char *p, size_t n)
{
    size_t back = 0;

    while (back < 3 && back + 1 < n && ((unsigned char)p[n - 1 - back] & 0xC0) == 0x80)
        back++;
    return ((unsigned char)p[n - 1 - back] & 0xC0) == 0xC0 ? n - 1 - back : n;
}

static void emit(struct faas_str line, local_line_fn fn, void *arg)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    fn(arg, line);
}

static void emit_pieces(struct local_lines *l, local_line_fn fn, void *arg)
{
    while (l->pending.len >= LOCAL_LINE_MAX) {
        size_t n = cut_at(l->pending.data, LOCAL_LINE_MAX);

        fn(arg, (struct faas_str){.ptr = l->pending.data, .len = n});
        faas_buf_consume(&l->pending, n);
    }
}

void local_lines_feed(struct local_lines *l, struct faas_str bytes, local_line_fn fn, void *arg)
{
    while (bytes.len > 0) {
        ptrdiff_t end = faas_str_find(bytes, '\n');
        size_t n = end < 0 ? bytes.len : (size_t)end;

        n = FAAS_MIN(n, (size_t)LOCAL_LINE_MAX); /* bounds what is pending to twice a line */
        faas_buf_append(&l->pending, bytes.ptr, n);
        emit_pieces(l, fn, arg);
        bytes.ptr += n;
        bytes.len -= n;
        if (bytes.len > 0 && bytes.ptr[0] == '\n') {
            emit(faas_buf_str(&l->pending), fn, arg);
            faas_buf_clear(&l->pending);
            bytes.ptr++;
            bytes.len--;
        }
    }
}

void local_lines_end(struct local_lines *l, local_line_fn fn, void *arg)
{
    if (l->pending.len > 0)
        emit(faas_buf_str(&l->pending), fn, arg);
    faas_buf_clear(&l->pending);
}
