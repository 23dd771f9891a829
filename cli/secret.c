#include "cli/secret.h"

#include "cli/stdin.h"
#include "libfaas/base64.h"
#include "libfaas/file.h"
#include "libfaas/utf8.h"

enum { MAX_VALUE = 1 << 20 };

const struct cli_flag cli_secret_source_flags[] = {
    {.name = "from-literal",
     .type = CLI_STRING,
     .at = offsetof(struct cli_secret_source, from_literal),
     .arg = "VALUE",
     .help = "the value itself; others can see it in the list of processes"},
    {.name = "from-file",
     .type = CLI_STRING,
     .at = offsetof(struct cli_secret_source, from_file),
     .arg = "FILE",
     .help = "file that holds the value; may be binary"},
    {.name = "trim",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_secret_source, trim),
     .dflt = "true",
     .help = "leave out blanks and line feeds around the value (gateways keep what create "
             "--from-file sends as it is)"},
    {0},
};

static int read_source(struct cli_secret_value *v, const struct cli_secret_source *s,
                       struct faas_error *err)
{
    if (s->from_literal && s->from_file)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "--from-literal and --from-file exclude each other");
    if (s->from_literal) {
        faas_buf_append_z(&v->text, s->from_literal);
        return 0;
    }
    if (!s->from_file)
        return cli_read_stdin(&v->text, MAX_VALUE, err);
    if (faas_file_read(s->from_file, MAX_VALUE, &v->raw, err) < 0)
        return -1;
    faas_buf_append_str(&v->text, faas_buf_str(&v->raw));
    return 0;
}

/* Within the buffer, so that no copy stays behind. */
static void trim(struct faas_buf *b)
{
    struct faas_str kept = faas_str_trim(faas_buf_str(b));

    if (!b->data)
        return;
    memmove(b->data, kept.ptr, kept.len);
    explicit_bzero(b->data + kept.len, b->len - kept.len);
    b->len = kept.len;
}

int cli_secret_value_read(struct cli_secret_value *v, const struct cli_secret_source *source,
                          struct faas_error *err)
{
    if (read_source(v, source, err) < 0)
        return -1;
    if (source->trim)
        trim(&v->text);
    return v->text.len > 0 ? 0 : faas_fail(err, FAAS_ERR_INVALID, "the secret's value is empty");
}

static void wipe(struct faas_buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    faas_buf_deinit(b);
}

void cli_secret_value_deinit(struct cli_secret_value *v)
{
    wipe(&v->text);
    wipe(&v->raw);
}

/* What a JSON string can carry to any gateway: UTF-8 without NUL. */
static bool is_text(struct faas_str s)
{
    bool valid = true;
    uint32_t cp = 1;

    for (size_t i = 0; i < s.len && valid && cp;)
        i += faas_utf8_next((struct faas_str){.ptr = s.ptr + i, .len = s.len - i}, &cp, &valid);
    return valid && cp;
}

static void add_value(json_t *body, const struct cli_secret_value *v)
{
    bool text = is_text(faas_buf_str(&v->text));
    const struct faas_buf *raw = v->raw.len || text ? &v->raw : &v->text;
    struct faas_buf encoded = {0};

    json_object_set_new(body, "value",
                        text ? faas_json_string(faas_buf_str(&v->text)) : json_string(""));
    if (raw->len == 0)
        return;
    faas_base64_encode(&encoded, raw->data, raw->len);
    json_object_set_new(body, "rawValue", json_string(encoded.data));
    wipe(&encoded);
}

static json_t *encode(const struct cli_secret_call *call)
{
    json_t *body = json_object();

    json_object_set_new(body, "name", json_string(call->name));
    if (call->namespace_ && *call->namespace_)
        json_object_set_new(body, "namespace", json_string(call->namespace_));
    if (call->value)
        add_value(body, call->value);
    return body;
}

int cli_secret_send(const struct cli_client *c, const struct cli_secret_call *call, int *status,
                    struct faas_error *err)
{
    _cleanup_json_ json_t *body = encode(call);
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    const struct cli_call http = {.method = call->method, .path = "/system/secrets", .body = body};

    if (cli_client_call(c, &http, &resp, err) < 0)
        return -1;
    *status = resp.status;
    if (resp.status == 404)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "unable to find secret: %s", call->name);
    if (resp.status == 409 && strcmp(call->method, "POST") == 0)
        return faas_fail(err, FAAS_ERR_CONFLICT, "secret \"%s\" already exists", call->name);
    return cli_accepted(resp.status) ? 0 : cli_client_refuse(c, &resp, err);
}
