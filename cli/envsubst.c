#include "cli/envsubst.h"

#include "cli/envsubst_ops.h"

#include <ctype.h>
#include <stdlib.h>

enum { MAX_NESTING = 32 };

struct parser {
    struct faas_str text;
    const char *file;
    size_t pos;
    const struct cli_env *env;
    unsigned depth;
    struct faas_error *err;
};

static const char *process_env_get(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

const struct cli_env cli_process_env = {.get = process_env_get};

static int parse_text(struct parser *p, const char *stops, struct faas_buf *out);

static char peek(const struct parser *p, size_t ahead)
{
    return p->pos + ahead < p->text.len ? p->text.ptr[p->pos + ahead] : '\0';
}

static bool at_end(const struct parser *p)
{
    return p->pos >= p->text.len;
}

static int fail_at(const struct parser *p, size_t pos, const char *why)
{
    int line = 1;

    for (size_t i = 0; i < pos && i < p->text.len; i++)
        line += p->text.ptr[i] == '\n';
    return faas_fail(p->err, FAAS_ERR_INVALID, "%s:%d: ${…}: %s", p->file, line, why);
}

static bool eat(struct parser *p, const char *token)
{
    size_t len = strlen(token);

    if (p->text.len - p->pos < len || memcmp(p->text.ptr + p->pos, token, len) != 0)
        return false;
    p->pos += len;
    return true;
}

static struct faas_str parse_name(struct parser *p)
{
    size_t start = p->pos;

    while (!at_end(p) && (isalnum((unsigned char)peek(p, 0)) || peek(p, 0) == '_'))
        p->pos++;
    return (struct faas_str){.ptr = p->text.ptr + start, .len = p->pos - start};
}

/* ":from" or ":from:length", behind the first colon. */
static int parse_part(struct parser *p, struct faas_str value, size_t start, struct faas_buf *out)
{
    _cleanup_buf_ struct faas_buf from = {0};
    _cleanup_buf_ struct faas_buf length = {0};
    struct cli_part part = {0};

    if (parse_text(p, ":}", &from) < 0)
        return -1;
    if (eat(p, ":")) {
        part.has_length = true;
        if (parse_text(p, "}", &length) < 0)
            return -1;
        if (faas_parse_i64(faas_str_trim(faas_buf_str(&length)), &part.length, NULL) < 0)
            return fail_at(p, start, "the length must be a number");
    }
    if (faas_parse_i64(faas_str_trim(faas_buf_str(&from)), &part.from, NULL) < 0)
        return fail_at(p, start, "the position must be a number (a default is written :-)");
    faas_buf_append_str(out, cli_substring(value, &part));
    return 0;
}

static int parse_default(struct parser *p, struct faas_str value, struct faas_buf *out)
{
    _cleanup_buf_ struct faas_buf dflt = {0};

    if (parse_text(p, "}", &dflt) < 0)
        return -1;
    faas_buf_append_str(out, value.len ? value : faas_buf_str(&dflt));
    return 0;
}

static int parse_trim(struct parser *p, struct faas_str value, enum cli_trim how,
                      struct faas_buf *out)
{
    _cleanup_buf_ struct faas_buf pattern = {0};

    if (parse_text(p, "}", &pattern) < 0)
        return -1;
    faas_buf_append_str(out, cli_trim_glob(value, pattern.data ? pattern.data : "", how));
    return 0;
}

static int parse_replace(struct parser *p, struct faas_str value, enum cli_replace how,
                         struct faas_buf *out)
{
    _cleanup_buf_ struct faas_buf old = {0};
    _cleanup_buf_ struct faas_buf new = {0};

    if (parse_text(p, "/}", &old) < 0 || (eat(p, "/") && parse_text(p, "}", &new) < 0))
        return -1;
    cli_replace_text(out, value, faas_buf_str(&old), faas_buf_str(&new), how);
    return 0;
}

/* What stands between the name and the closing brace. Longer operators come first. */
static int parse_operator(struct parser *p, struct faas_str value, size_t start,
                          struct faas_buf *out)
{
    if (eat(p, ":-") || eat(p, ":=") || eat(p, ":?") || eat(p, ":+") || eat(p, "="))
        return parse_default(p, value, out);
    if (eat(p, ":"))
        return parse_part(p, value, start, out);
    if (eat(p, "^^"))
        return cli_change_case(out, value, value.len, toupper), 0;
    if (eat(p, "^"))
        return cli_change_case(out, value, 1, toupper), 0;
    if (eat(p, ",,"))
        return cli_change_case(out, value, value.len, tolower), 0;
    if (eat(p, ","))
        return cli_change_case(out, value, 1, tolower), 0;
    if (eat(p, "##"))
        return parse_trim(p, value, CLI_TRIM_LONGEST_HEAD, out);
    if (eat(p, "#"))
        return parse_trim(p, value, CLI_TRIM_SHORTEST_HEAD, out);
    if (eat(p, "%%"))
        return parse_trim(p, value, CLI_TRIM_LONGEST_TAIL, out);
    if (eat(p, "%"))
        return parse_trim(p, value, CLI_TRIM_SHORTEST_TAIL, out);
    if (eat(p, "//"))
        return parse_replace(p, value, CLI_REPLACE_EVERY, out);
    if (eat(p, "/#"))
        return parse_replace(p, value, CLI_REPLACE_HEAD, out);
    if (eat(p, "/%"))
        return parse_replace(p, value, CLI_REPLACE_TAIL, out);
    if (eat(p, "/"))
        return parse_replace(p, value, CLI_REPLACE_FIRST, out);
    faas_buf_append_str(out, value);
    return 0;
}

/* Behind "${". */
static int parse_expression(struct parser *p, struct faas_buf *out)
{
    size_t start = p->pos;
    bool length = eat(p, "#");
    struct faas_str name = parse_name(p);
    _cleanup_free_ char *key = faas_str_dup(name);
    const char *found;
    struct faas_str value;

    if (name.len == 0)
        return fail_at(p, start, "the name of a variable is missing");
    if (++p->depth > MAX_NESTING)
        return fail_at(p, start, "nested too deeply");
    found = p->env->get(p->env->self, key);
    value = faas_str_from(found ? found : "");
    if (length)
        faas_buf_append_u64(out, value.len);
    else if (parse_operator(p, value, start, out) < 0)
        return -1;
    if (!eat(p, "}"))
        return fail_at(p, start, "missing closing brace");
    p->depth--;
    return 0;
}

/* Copies up to one of the stops (not eaten), substituting. No stops: up to the end. */
static int parse_text(struct parser *p, const char *stops, struct faas_buf *out)
{
    size_t start = p->pos;

    while (!at_end(p)) {
        char c = peek(p, 0);

        if (*stops && strchr(stops, c) && c)
            return 0;
        if (eat(p, "${")) {
            if (parse_expression(p, out) < 0)
                return -1;
            continue;
        }
        /* An escape yields its second byte: $$ \\ \/ */
        if ((c == '$' && peek(p, 1) == '$') ||
            (c == '\\' && (peek(p, 1) == '\\' || peek(p, 1) == '/')))
            c = p->text.ptr[++p->pos];
        faas_buf_append_c(out, c);
        p->pos++;
    }
    return *stops ? fail_at(p, start, "missing closing brace") : 0;
}

int cli_envsubst(struct faas_str text, const char *file, const struct cli_env *env,
                 struct faas_buf *out, struct faas_error *err)
{
    struct parser p = {.text = text, .file = file, .env = env, .err = err};

    return parse_text(&p, "", out);
}
