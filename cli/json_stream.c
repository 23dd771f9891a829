#include "cli/json_stream.h"

enum { MAX_OBJECT = 16 << 20 };

/* Follows strings and braces; true when c ends an object. */
static bool step(struct cli_json_stream *s, char c)
{
    if (s->in_string) {
        if (s->escaped)
            s->escaped = false;
        else if (c == '\\')
            s->escaped = true;
        else if (c == '"')
            s->in_string = false;
        return false;
    }
    if (c == '"')
        s->in_string = true;
    else if (c == '{' || c == '[')
        s->depth++;
    else if (c == '}' || c == ']')
        return --s->depth == 0;
    return false;
}

int cli_json_stream_feed(struct cli_json_stream *s, struct faas_str data, struct faas_error *err)
{
    for (size_t i = 0; i < data.len; i++) {
        char c = data.ptr[i];

        if (s->depth == 0 && strchr(" \t\r\n", c) && c)
            continue;
        if (s->depth == 0 && c != '{')
            return faas_fail(err, FAAS_ERR_INVALID, "the stream is not made of JSON objects");
        if (s->pending.len >= MAX_OBJECT)
            return faas_fail(err, FAAS_ERR_TOO_LARGE, "an object of the stream is too large");
        faas_buf_append_c(&s->pending, c);
        if (!step(s, c))
            continue;
        if (s->object(s->arg, faas_buf_str(&s->pending), err) < 0)
            return -1;
        faas_buf_clear(&s->pending);
    }
    return 0;
}

void cli_json_stream_deinit(struct cli_json_stream *s)
{
    faas_buf_deinit(&s->pending);
}
