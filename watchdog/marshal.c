#include "watchdog/marshal.h"

#include "libfaas/alloc.h"
#include "libfaas/base64.h"
#include "libfaas/json_string.h"
#include "watchdog/header_name.h"

struct entry {
    struct faas_str name; /* canonical; heap */
    struct faas_str value;
    size_t order;
};

static int entry_cmp(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int diff = memcmp(x->name.ptr, y->name.ptr, FAAS_MIN(x->name.len, y->name.len));

    if (diff == 0 && x->name.len != y->name.len)
        diff = x->name.len < y->name.len ? -1 : 1;
    if (diff == 0)
        diff = x->order < y->order ? -1 : 1;
    return diff;
}

static size_t collect(struct entry *entries, const struct faas_http_header *headers, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        char *name;

        if (wd_header_is_hidden(headers[i].name))
            continue;
        name = faas_strndup(headers[i].name.ptr, headers[i].name.len);
        wd_canonical_name(name, headers[i].name);
        entries[count] = (struct entry){.name = {.ptr = name, .len = headers[i].name.len},
                                        .value = headers[i].value,
                                        .order = count};
        count++;
    }
    qsort(entries, count, sizeof(*entries), entry_cmp);
    return count;
}

static void append_headers(struct faas_buf *out, const struct entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && faas_str_eq(entries[i].name, entries[i - 1].name);

        if (!again) {
            faas_buf_append_z(out, i == 0 ? "" : "],");
            faas_json_write_string(out, entries[i].name);
            faas_buf_append_z(out, ":[");
        } else {
            faas_buf_append_c(out, ',');
        }
        faas_json_write_string(out, entries[i].value);
    }
    faas_buf_append_z(out, n ? "]" : "");
}

void wd_marshal_request(struct faas_buf *out, const struct faas_http_header *headers, size_t n,
                        struct faas_str body)
{
    _cleanup_free_ struct entry *entries = faas_reallocarray(NULL, n + 1, sizeof(*entries));
    size_t count = collect(entries, headers, n);

    faas_buf_append_z(out, "{\"header\":{");
    append_headers(out, entries, count);
    faas_buf_append_z(out, "},\"body\":{\"raw\":\"");
    faas_base64_encode(out, body.ptr, body.len);
    faas_buf_append_z(out, "\"}}");
    for (size_t i = 0; i < count; i++)
        free((char *)entries[i].name.ptr);
}
