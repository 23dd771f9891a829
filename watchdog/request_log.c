#include "watchdog/request_log.h"

#include "libfaas/alloc.h"

#include <stdio.h>

enum { TARGET_MAX = 2048 };

char *wd_request_log_begin(const struct wd_call *call)
{
    const struct faas_http_head *head = call->head;
    struct faas_str agent = faas_http_value(head->headers, head->n_headers, FAAS_STR("User-Agent"));
    struct faas_str target = head->target;

    if (call->is_probe || faas_str_starts(agent, FAAS_STR("kube-probe")))
        return NULL;
    target.len = FAAS_MIN(target.len, (size_t)TARGET_MAX);
    return faas_asprintf("%.*s %.*s", FAAS_STR_FMT(head->method), FAAS_STR_FMT(target));
}

void wd_format_size(int64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double n = (double)bytes;
    size_t unit = 0;

    while (n >= 1000 && unit + 1 < FAAS_ARRAY_LEN(units)) {
        n /= 1000;
        unit++;
    }
    snprintf(out, 32, "%.4g%s", n, units[unit]);
}

void wd_request_log_write(struct wd_log *log, const struct wd_request_log *r)
{
    char size[32];

    if (!r->what)
        return;
    wd_format_size(r->bytes, size);
    wd_logf(log, "%s - %d%s%s - %s: %s (%.4fs)%s%.*s%s", r->what, r->status, r->reason ? " " : "",
            r->reason ? r->reason : "", r->measure, size, r->seconds, r->call_id.ptr ? " [" : "",
            FAAS_STR_FMT(r->call_id), r->call_id.ptr ? "]" : "");
}
