/* What clients, functions and settings say about queued calls, one a line: a callback URL, a list
 * of hosts, a Redis URL, a retry policy, Retry-After. */
#include "gateway/async/host_policy.h"
#include "gateway/async/retry_policy.h"
#include "libfaas/cleanup.h"
#include "libfaas/redis_url.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hosts(struct faas_str url, const char *list)
{
    struct gw_host_policy *deny = gw_host_policy_new("*", list, NULL);
    struct gw_host_policy *allow = gw_host_policy_new(list, list, NULL);
    struct faas_str host;

    if (gw_url_host(url, &host)) {
        if (host.len == 0 || host.ptr < url.ptr || host.ptr + host.len > url.ptr + url.len ||
            faas_str_find(host, '@') >= 0 || faas_str_find(host, '/') >= 0)
            abort();
        if (deny)
            gw_host_policy_allows(deny, host);
        if (allow && gw_host_policy_allows(allow, host))
            abort(); /* what is denied is not allowed, whatever else says so */
    }
    gw_host_policy_free(deny);
    gw_host_policy_free(allow);
}

static void check_redis(const char *text)
{
    struct faas_redis_url url;

    if (faas_redis_url_parse(text, &url, NULL) == 0)
        free(faas_redis_url_format(&url));
    faas_redis_url_deinit(&url);
}

static void check_policy(struct faas_str text, struct faas_str after)
{
    struct gw_retry_policy p = {0}, again = {0};
    _cleanup_buf_ struct faas_buf out = {0};

    if (!gw_retry_parse(text, &p))
        return;
    gw_retry_format(&p, &out);
    if (!gw_retry_parse(faas_buf_str(&out), &again) || again.attempts != p.attempts ||
        again.n_codes != p.n_codes)
        abort();
    if (gw_retry_wait_ms(&p, p.attempts, text.len) < 0 ||
        gw_retry_after_ms(&p, after, 784111777) < -1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str rest = {.ptr = (const char *)data, .len = size};
    struct faas_str line[5] = {{0}};
    _cleanup_free_ char *hosts = NULL;
    _cleanup_free_ char *redis = NULL;

    for (size_t i = 0; i < 5 && rest.ptr; i++)
        line[i] = faas_str_split(&rest, '\n');
    for (size_t i = 0; i < 5; i++)
        if (!line[i].ptr)
            line[i] = FAAS_STR("");
    hosts = faas_str_dup(line[1]);
    redis = faas_str_dup(line[2]);
    check_hosts(line[0], hosts);
    check_redis(redis);
    check_policy(line[3], line[4]);
    return 0;
}
