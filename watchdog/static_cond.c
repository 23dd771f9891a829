#include "watchdog/static_cond.h"

#include "libfaas/http_date.h"

#include <inttypes.h>
#include <stdio.h>

void wd_validators_of(const struct stat *st, struct wd_validators *out)
{
    out->modified = st->st_mtim.tv_sec;
    snprintf(out->etag, sizeof(out->etag), "\"%" PRIx64 ".%lx-%" PRIx64 "\"",
             (uint64_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
             (uint64_t)st->st_size);
}

/* Is ours among them? Weak ones count where the whole file is at stake, not where parts of two
 * versions might be put together. */
static bool has_etag(struct faas_str list, const char *etag, bool weak)
{
    while (list.ptr) {
        struct faas_str item = faas_str_trim(faas_str_split(&list, ','));

        if (faas_str_eqz(item, "*"))
            return true;
        if (weak && faas_str_starts(item, FAAS_STR("W/")))
            item = (struct faas_str){item.ptr + 2, item.len - 2};
        if (faas_str_eqz(item, etag))
            return true;
    }
    return false;
}

/* -1: there is no such header, or it is no date; else whether the file is not newer. */
static int is_unmodified_since(struct faas_str value, const struct wd_validators *v)
{
    time_t since;

    if (!value.ptr || !faas_http_date_parse(value, &since))
        return -1;
    return v->modified <= since;
}

int wd_check_conditions(const struct faas_http_header *headers, size_t n, bool is_read,
                        const struct wd_validators *v)
{
    struct faas_str match = faas_http_value(headers, n, FAAS_STR("If-Match"));
    struct faas_str none_match = faas_http_value(headers, n, FAAS_STR("If-None-Match"));

    if (match.ptr) {
        if (!has_etag(match, v->etag, false))
            return 412;
    } else if (is_unmodified_since(faas_http_value(headers, n, FAAS_STR("If-Unmodified-Since")),
                                   v) == 0) {
        return 412;
    }
    if (none_match.ptr) {
        if (has_etag(none_match, v->etag, true))
            return is_read ? 304 : 412;
    } else if (is_read && is_unmodified_since(
                              faas_http_value(headers, n, FAAS_STR("If-Modified-Since")), v) == 1) {
        return 304;
    }
    return 200;
}

bool wd_range_applies(const struct faas_http_header *headers, size_t n,
                      const struct wd_validators *v)
{
    struct faas_str value = faas_http_value(headers, n, FAAS_STR("If-Range"));
    time_t date;

    if (!value.ptr)
        return true;
    if (faas_http_date_parse(value, &date))
        return date == v->modified;
    return faas_str_eqz(value, v->etag);
}
