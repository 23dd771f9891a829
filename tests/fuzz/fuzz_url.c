/* URLs in settings and in documents of a gateway: the parts of one that is taken make it up again,
 * and nothing in it can break out of a request's head. */
#include "libfaas/buf.h"
#include "libfaas/url.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_buf_ struct faas_buf again = {0};
    struct faas_error err = {0};
    struct faas_url u;

    if (faas_url_parse(&u, text, &err) < 0) {
        check(err.msg[0], "refused without a reason");
        return 0;
    }
    faas_buf_append_str(&again, u.scheme);
    faas_buf_append_z(&again, "://");
    faas_buf_append_str(&again, u.authority);
    faas_buf_append_str(&again, u.path);
    check(faas_str_eq(faas_buf_str(&again), text), "a part is lost");
    check(u.host.len > 0 && u.port <= 65535, "there is no place to connect to");
    check(memmem(u.authority.ptr, u.authority.len, u.host.ptr, u.host.len) != NULL,
          "the host is another");
    for (size_t i = 0; i < size; i++)
        check(data[i] > ' ', "a blank or a line break is taken");
    return 0;
}
