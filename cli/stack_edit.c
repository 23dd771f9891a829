#include "cli/stack_edit.h"

#include "libfaas/alloc.h"
#include "libfaas/yaml.h"

static void write_resource(struct faas_buf *out, int indent, const char *heading, const char *cpu,
                           const char *memory)
{
    bool has_cpu = cpu && *cpu, has_memory = memory && *memory;

    if (has_cpu || has_memory)
        faas_buf_printf(out, "%*s%s:\n", indent, "", heading);
    if (has_cpu)
        faas_buf_printf(out, "%*scpu: %s\n", indent + 2, "", cpu);
    if (has_memory)
        faas_buf_printf(out, "%*smemory: %s\n", indent + 2, "", memory);
}

static void write_text(struct faas_buf *out, int indent, const char *key, const char *text)
{
    faas_buf_printf(out, "%*s%s: ", indent, "", key);
    faas_yaml_scalar(out, text);
    faas_buf_append_c(out, '\n');
}

static void write_function(struct faas_buf *out, int indent, const struct cli_new_function *fn)
{
    const struct cli_resource_options *r = fn->resources;
    _cleanup_free_ char *handler =
        faas_asprintf("%s%s", *fn->handler == '/' ? "" : "./", fn->handler);

    faas_buf_printf(out, "%*s%s:\n", indent, "", fn->name);
    faas_buf_printf(out, "%*slang: %s\n", indent + 2, "", fn->lang);
    write_text(out, indent + 2, "handler", handler);
    write_text(out, indent + 2, "image", fn->image);
    write_resource(out, indent + 2, "requests", r->cpu_request, r->memory_request);
    write_resource(out, indent + 2, "limits", r->cpu_limit, r->memory_limit);
    faas_buf_append_c(out, '\n');
}

void cli_stack_write(struct faas_buf *out, const char *gateway, const struct cli_new_function *fn)
{
    faas_buf_printf(out,
                    "version: 1.0\n"
                    "provider:\n"
                    "  name: openfaas\n"
                    "  gateway: %s\n"
                    "functions:\n",
                    gateway);
    write_function(out, 2, fn);
}

/* The offset at which a 1-based line begins, or the length of the text. */
static size_t line_offset(struct faas_str text, int line)
{
    size_t at = 0;

    for (; line > 1 && at < text.len; at++)
        line -= text.ptr[at] == '\n';
    return at;
}

static struct faas_str line_at(struct faas_str text, size_t at)
{
    struct faas_str rest = {.ptr = text.ptr + at, .len = text.len - at};

    return faas_str_split(&rest, '\n');
}

/* A line that belongs to the function above it: deeper than a function's name, or a blank. */
static bool continues(struct faas_str line, int column)
{
    size_t indent = 0;

    while (indent < line.len && line.ptr[indent] == ' ')
        indent++;
    return indent == line.len || (int)indent > column || faas_str_trim(line).len == 0;
}

/* Where another function goes: behind all lines of the last one, before blanks that follow it. */
static size_t insertion_point(struct faas_str text, const struct cli_stack *s)
{
    size_t at = line_offset(text, s->functions_end);
    size_t end = at;

    while (at < text.len) {
        struct faas_str line = line_at(text, at);

        if (!continues(line, s->functions_column))
            break;
        at += line.len + 1;
        if (faas_str_trim(line).len > 0)
            end = FAAS_MIN(at, text.len);
    }
    return end;
}

/* Behind the line "functions:" of a file that has none yet. */
static size_t empty_functions(struct faas_str text)
{
    for (size_t at = 0; at < text.len;) {
        struct faas_str line = line_at(text, at);

        at = FAAS_MIN(at + line.len + 1, text.len);
        if (faas_str_eqz(faas_str_trim(line), "functions:"))
            return at;
    }
    return text.len;
}

static void splice(struct faas_buf *out, struct faas_str text, size_t at, int column,
                   const struct cli_new_function *fn)
{
    struct faas_str rest = {.ptr = text.ptr + at, .len = text.len - at};

    faas_buf_append(out, text.ptr, at);
    if (at > 0 && text.ptr[at - 1] != '\n')
        faas_buf_append_c(out, '\n');
    if (at > 1 && text.ptr[at - 2] != ':') /* a blank line between functions */
        faas_buf_append_c(out, '\n');
    write_function(out, column, fn);
    while (rest.len > 0 && rest.ptr[0] == '\n') {
        rest.ptr++;
        rest.len--;
    }
    faas_buf_append_str(out, rest);
}

/* Whether the result says what was meant: everything that was there, and the new function. */
static int verify(const struct faas_buf *text, const char *file, size_t n_before,
                  const struct cli_new_function *fn, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack s = {0};
    struct faas_error why = {0};

    if (cli_stack_parse(&s, faas_buf_str(text), file, NULL, &why) == 0 &&
        s.n_functions == n_before + 1 && cli_stack_find(&s, fn->name))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "%s is written in a way that a function cannot be added to; add it by hand",
                     file);
}

int cli_stack_append(struct faas_buf *out, struct faas_str text, const char *file,
                     const struct cli_new_function *fn, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack s = {0};
    size_t at;

    /* As it is written, variables unreplaced: lines must be those of the file. */
    if (cli_stack_parse(&s, text, file, NULL, err) < 0)
        return -1;
    if (cli_stack_find(&s, fn->name))
        return faas_fail(err, FAAS_ERR_CONFLICT, "%s:%d: there is a function %s already", file,
                         cli_stack_find(&s, fn->name)->line, fn->name);
    at = s.n_functions ? insertion_point(text, &s) : empty_functions(text);
    splice(out, text, at, s.n_functions ? s.functions_column : 2, fn);
    return verify(out, file, s.n_functions, fn, err);
}
