#include "libfaas/json.h"

#include "libfaas/alloc.h"
#include "libfaas/utf8.h"

#include <math.h>
#include <stdio.h>

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

json_t *faas_json_parse(struct faas_str text, struct faas_error *err)
{
    json_error_t why;
    json_t *v;
    char *near;

    if (text.len > FAAS_JSON_MAX) {
        faas_fail(err, FAAS_ERR_TOO_LARGE, "JSON of %zu bytes; at most %zu are read", text.len,
                  FAAS_JSON_MAX);
        return NULL;
    }
    v = json_loadb(text.len ? text.ptr : "", text.len, JSON_DECODE_ANY, &why);
    if (v)
        return v;
    near = strstr(why.text, " near '");
    if (near)
        *near = '\0';
    faas_fail(err, FAAS_ERR_INVALID, "bad JSON at line %d, column %d: %s", why.line, why.column,
              why.text);
    return NULL;
}

int faas_json_expect_object(const json_t *v, const char *what, struct faas_error *err)
{
    if (json_is_object(v))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "%s: must be an object, not %s", what,
                     v ? type_name(v) : "nothing");
}

/* The shortest digits that read back as the same number; whole numbers without a point, as Go. */
static void write_real(struct faas_buf *out, double d)
{
    char digits[40];

    if (d == 0) /* also the negative zero */
        d = 0;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, d);
        if (strtod(digits, NULL) == d)
            break;
    }
    faas_buf_append_z(out, digits);
}

static void new_line(struct faas_buf *out, int indent, int depth)
{
    if (!indent)
        return;
    faas_buf_append_c(out, '\n');
    for (int i = 0; i < indent * depth; i++)
        faas_buf_append_c(out, ' ');
}

static void write_value(struct faas_buf *out, const json_t *v, int indent, int depth);

static void write_object(struct faas_buf *out, const json_t *v, int indent, int depth)
{
    const char *key;
    json_t *member;
    bool first = true;

    faas_buf_append_c(out, '{');
    json_object_foreach((json_t *)v, key, member)
    {
        if (!first)
            faas_buf_append_c(out, ',');
        first = false;
        new_line(out, indent, depth + 1);
        faas_json_write_string(out, faas_str_from(key));
        faas_buf_append_z(out, indent ? ": " : ":");
        write_value(out, member, indent, depth + 1);
    }
    if (!first)
        new_line(out, indent, depth);
    faas_buf_append_c(out, '}');
}

static void write_array(struct faas_buf *out, const json_t *v, int indent, int depth)
{
    size_t n = json_array_size(v);

    faas_buf_append_c(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            faas_buf_append_c(out, ',');
        new_line(out, indent, depth + 1);
        write_value(out, json_array_get(v, i), indent, depth + 1);
    }
    if (n)
        new_line(out, indent, depth);
    faas_buf_append_c(out, ']');
}

static void write_value(struct faas_buf *out, const json_t *v, int indent, int depth)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        write_object(out, v, indent, depth);
        break;
    case JSON_ARRAY:
        write_array(out, v, indent, depth);
        break;
    case JSON_STRING:
        faas_json_write_string(
            out, (struct faas_str){.ptr = json_string_value(v), .len = json_string_length(v)});
        break;
    case JSON_INTEGER:
        faas_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        write_real(out, json_real_value(v));
        break;
    case JSON_TRUE:
        faas_buf_append_z(out, "true");
        break;
    case JSON_FALSE:
        faas_buf_append_z(out, "false");
        break;
    case JSON_NULL:
        faas_buf_append_z(out, "null");
        break;
    }
}

void faas_json_write(struct faas_buf *out, const json_t *v, int indent)
{
    write_value(out, v, indent, 0);
}

json_t *faas_json_get(const json_t *obj, const char *key)
{
    json_t *v = json_object_get(obj, key);
    const char *name;
    json_t *member;

    if (v)
        return json_is_null(v) ? NULL : v;
    json_object_foreach((json_t *)obj, name, member)
    {
        if (!json_is_null(member) && faas_str_ieq(faas_str_from(name), faas_str_from(key)))
            return member;
    }
    return NULL;
}

static int wrong_type(struct faas_error *err, const char *key, const char *wanted,
                      const json_t *got)
{
    return faas_fail(err, FAAS_ERR_INVALID, "%s: must be %s, not %s", key, wanted, type_name(got));
}

int faas_json_get_string(const json_t *obj, const char *key, char **out, struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);

    if (!v)
        return 0;
    if (!json_is_string(v))
        return wrong_type(err, key, "a string", v);
    free(*out);
    *out = faas_strdup(json_string_value(v));
    return 0;
}

int faas_json_get_bool(const json_t *obj, const char *key, bool *out, struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);

    if (!v)
        return 0;
    if (!json_is_boolean(v))
        return wrong_type(err, key, "true or false", v);
    *out = json_is_true(v);
    return 0;
}

int faas_json_get_u64(const json_t *obj, const char *key, uint64_t *out, struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);

    if (!v)
        return 0;
    if (!json_is_number(v))
        return wrong_type(err, key, "a whole number", v);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return faas_fail(err, FAAS_ERR_INVALID, "%s: must be a whole number of 0 or more", key);
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

int faas_json_get_number(const json_t *obj, const char *key, double *out, struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);

    if (!v)
        return 0;
    if (!json_is_number(v))
        return wrong_type(err, key, "a number", v);
    *out = json_number_value(v);
    return 0;
}

int faas_json_get_map(const json_t *obj, const char *key, struct faas_map *out,
                      struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);
    _cleanup_map_ struct faas_map m = {0};
    const char *name;
    json_t *member;

    if (!v)
        return 0;
    if (!json_is_object(v))
        return wrong_type(err, key, "an object of strings", v);
    if (json_object_size(v) > FAAS_JSON_MAP_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "%s: has %zu members; at most %d are taken", key,
                         json_object_size(v), FAAS_JSON_MAP_MAX);
    json_object_foreach((json_t *)v, name, member)
    {
        if (!json_is_string(member) && !json_is_null(member))
            return faas_fail(err, FAAS_ERR_INVALID, "%s.%.64s: must be a string, not %s", key, name,
                             type_name(member));
        faas_map_set(&m, name, json_is_null(member) ? "" : json_string_value(member));
    }
    faas_map_deinit(out);
    *out = m;
    m = (struct faas_map){0};
    return 0;
}

int faas_json_get_strv(const json_t *obj, const char *key, struct faas_strv *out,
                       struct faas_error *err)
{
    const json_t *v = faas_json_get(obj, key);
    _cleanup_strv_ struct faas_strv list = {0};

    if (!v)
        return 0;
    if (!json_is_array(v))
        return wrong_type(err, key, "a list of strings", v);
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *item = json_array_get(v, i);

        if (!json_is_string(item) && !json_is_null(item))
            return faas_fail(err, FAAS_ERR_INVALID, "%s[%zu]: must be a string, not %s", key, i,
                             type_name(item));
        faas_strv_add(&list, json_is_null(item) ? "" : json_string_value(item));
    }
    faas_strv_deinit(out);
    *out = list;
    list = (struct faas_strv){0};
    return 0;
}

/* The same bytes with what is not UTF-8 replaced: jansson refuses such strings altogether. */
static void append_valid_utf8(struct faas_buf *out, struct faas_str s)
{
    for (size_t i = 0; i < s.len;) {
        uint32_t cp;
        bool valid;
        size_t n =
            faas_utf8_next((struct faas_str){.ptr = s.ptr + i, .len = s.len - i}, &cp, &valid);

        if (valid)
            faas_buf_append(out, s.ptr + i, n);
        else
            faas_buf_append_z(out, "\xef\xbf\xbd");
        i += n;
    }
}

json_t *faas_json_string(struct faas_str s)
{
    json_t *v = json_stringn(s.len ? s.ptr : "", s.len);
    _cleanup_buf_ struct faas_buf valid = {0};

    if (v)
        return v;
    append_valid_utf8(&valid, s);
    return json_stringn(valid.data, valid.len);
}

json_t *faas_json_from_map(const struct faas_map *m)
{
    json_t *obj = json_object();

    faas_map_for_each (m, e) {
        _cleanup_buf_ struct faas_buf key = {0};

        append_valid_utf8(&key, faas_str_from(e->key));
        json_object_set_new(obj, key.len ? key.data : "",
                            faas_json_string(faas_str_from(e->value)));
    }
    return obj;
}

json_t *faas_json_from_strv(const struct faas_strv *v)
{
    json_t *list = json_array();

    faas_strv_for_each(v, s) json_array_append_new(list, faas_json_string(faas_str_from(*s)));
    return list;
}
