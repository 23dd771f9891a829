#include "gateway/async/retry_policy.h"

#include "libfaas/http_date.h"

#include <inttypes.h>

#define RETRY_AFTER_MAX_MS INT64_C(3600000)
#define MAX_ATTEMPTS       10000

bool gw_retry_parse_codes(struct faas_str list, struct gw_retry_policy *out)
{
    struct gw_retry_policy parsed = {0};

    while (list.ptr) {
        struct faas_str item = faas_str_trim(faas_str_split(&list, ','));
        uint64_t code;

        if (!item.len)
            continue;
        if (faas_parse_u64(item, &code, NULL) < 0 || code < 100 || code > 599 ||
            parsed.n_codes == GW_MAX_RETRY_CODES)
            return false;
        parsed.codes[parsed.n_codes++] = (int)code;
    }
    memcpy(out->codes, parsed.codes, sizeof(out->codes));
    out->n_codes = parsed.n_codes;
    return true;
}

/* --- annotations --- */

static bool read_attempts(struct faas_str text, struct gw_retry_policy *p)
{
    uint64_t n;

    if (faas_parse_u64(text, &n, NULL) < 0 || n == 0 || n > MAX_ATTEMPTS)
        return false;
    p->attempts = (int64_t)n;
    return true;
}

static bool read_wait(struct faas_str text, int64_t *out_ms)
{
    int64_t ms;

    if (faas_parse_duration(text, &ms, NULL) < 0)
        return false;
    *out_ms = ms;
    return true;
}

static bool read_min_wait(struct faas_str text, struct gw_retry_policy *p)
{
    return read_wait(text, &p->min_wait_ms);
}

static bool read_max_wait(struct faas_str text, struct gw_retry_policy *p)
{
    return read_wait(text, &p->max_wait_ms);
}

int gw_retry_annotate(struct gw_retry_policy *p, const struct faas_map *annotations,
                      struct faas_error *err)
{
    static const struct {
        const char *name, *wants;
        bool (*read)(struct faas_str text, struct gw_retry_policy *p);
    } known[] = {
        {"com.openfaas.retry.attempts", "a number from 1 to 10000", read_attempts},
        {"com.openfaas.retry.codes", "up to 32 statuses from 100 to 599, separated by commas",
         gw_retry_parse_codes},
        {"com.openfaas.retry.min_wait", "a duration such as 10s", read_min_wait},
        {"com.openfaas.retry.max_wait", "a duration such as 10s", read_max_wait},
    };
    int rc = 0;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(known); i++) {
        const char *value = faas_map_get(annotations, known[i].name);

        if (value && !known[i].read(faas_str_from(value), p) && rc == 0)
            rc = faas_fail(err, FAAS_ERR_INVALID, "annotation %s: \"%.80s\" is not %s",
                           known[i].name, value, known[i].wants);
    }
    p->max_wait_ms = FAAS_MAX(p->max_wait_ms, p->min_wait_ms);
    return rc;
}

void gw_retry_format(const struct gw_retry_policy *p, struct faas_buf *out)
{
    const int64_t numbers[] = {p->attempts, p->min_wait_ms, p->max_wait_ms, p->jitter};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(numbers); i++) {
        faas_buf_append_u64(out, (uint64_t)numbers[i]);
        faas_buf_append_c(out, ' ');
    }
    for (size_t i = 0; i < p->n_codes; i++) {
        if (i)
            faas_buf_append_c(out, ',');
        faas_buf_append_u64(out, (uint64_t)p->codes[i]);
    }
}

bool gw_retry_parse(struct faas_str text, struct gw_retry_policy *out)
{
    uint64_t n[4];

    for (size_t i = 0; i < FAAS_ARRAY_LEN(n); i++)
        if (faas_parse_u64(faas_str_split(&text, ' '), &n[i], NULL) < 0 || n[i] > INT64_MAX)
            return false;
    if (!text.ptr || n[0] == 0 || n[0] > MAX_ATTEMPTS || n[3] > GW_JITTER_EQUAL ||
        !gw_retry_parse_codes(text, out))
        return false;
    out->attempts = (int64_t)n[0];
    out->min_wait_ms = (int64_t)n[1];
    out->max_wait_ms = (int64_t)n[2];
    out->jitter = (enum gw_jitter)n[3];
    return true;
}

bool gw_retry_wanted(const struct gw_retry_policy *p, int status, bool ours)
{
    if (ours && status >= 400)
        return true;
    for (size_t i = 0; i < p->n_codes; i++)
        if (p->codes[i] == status)
            return true;
    return false;
}

int64_t gw_retry_wait_ms(const struct gw_retry_policy *p, int64_t n, uint64_t random)
{
    int64_t wait = p->min_wait_ms;

    for (int64_t i = 1; i < n && wait > 0 && wait < p->max_wait_ms; i++)
        wait = wait > INT64_MAX / 2 ? p->max_wait_ms : 2 * wait;
    wait = FAAS_MIN(wait, p->max_wait_ms);
    if (p->jitter == GW_JITTER_FULL)
        return (int64_t)(random % (uint64_t)(wait + 1));
    if (p->jitter == GW_JITTER_EQUAL)
        return wait / 2 + (int64_t)(random % (uint64_t)(wait - wait / 2 + 1));
    return wait;
}

int64_t gw_retry_after_ms(const struct gw_retry_policy *p, struct faas_str header, time_t now)
{
    uint64_t seconds;
    time_t date;
    int64_t ms;

    if (!header.len)
        return -1;
    if (faas_parse_u64(header, &seconds, NULL) == 0)
        ms = seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : (int64_t)seconds * 1000;
    else if (faas_http_date_parse(header, &date))
        ms = date <= now ? 0 : FAAS_MIN((int64_t)(date - now), RETRY_AFTER_MAX_MS / 1000) * 1000;
    else
        return -1;
    return FAAS_MAX(ms, p->min_wait_ms);
}
