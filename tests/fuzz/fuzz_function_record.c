/* Durable function records. What is accepted must be safe as a path and come back unchanged after
 * being written. */
#include "providers/local/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void write_and_read_again(const struct local_record *r)
{
    _cleanup_(local_record_deinit) struct local_record again = {0};
    _cleanup_buf_ struct faas_buf first = {0}, second = {0};
    struct faas_error err = {0};

    local_record_write(&first, r);
    check(local_record_parse(faas_buf_str(&first), &again, &err) == 0);
    local_record_write(&second, &again);
    check(faas_str_eq(faas_buf_str(&first), faas_buf_str(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(local_record_deinit) struct local_record r = {0};
    struct faas_error err = {0};

    if (local_record_parse((struct faas_str){.ptr = (const char *)data, .len = size}, &r, &err) <
        0) {
        check(err.code != FAAS_ERR_NONE && !r.spec.service && !r.digest);
        return 0;
    }
    check(!strchr(r.spec.service, '/') && !strchr(r.spec.namespace_, '/'));
    check(local_digest_valid(r.digest));
    write_and_read_again(&r);
    return 0;
}
