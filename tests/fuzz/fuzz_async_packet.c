/* What comes back from Redis as a call's packet: whatever is taken for one lies within the text,
 * and packed again gives a packet that says the same. */
#include "gateway/async/packet.h"
#include "libfaas/cleanup.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str text = {(const char *)data, size};
    _cleanup_buf_ struct faas_buf again = {0};
    struct gw_packet a, b;

    if (!gw_packet_parse(text, &a))
        return 0;
    check(a.policy.ptr >= text.ptr && a.body.ptr + a.body.len == text.ptr + text.len);
    gw_packet_append(&again, &a);
    check(gw_packet_parse(faas_buf_str(&again), &b));
    check(faas_str_eq(a.policy, b.policy) && faas_str_eq(a.callback, b.callback));
    check(faas_str_eq(a.request, b.request) && faas_str_eq(a.body, b.body));
    return 0;
}
