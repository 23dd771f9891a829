/* bundle.json, which arrives in an upload. What is accepted can be run. */
#include "providers/local/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct local_bundle b = {0};
    struct faas_error err = {0};

    if (local_bundle_parse((struct faas_str){.ptr = (const char *)data, .len = size}, &b, &err) <
        0) {
        check(err.code == FAAS_ERR_INVALID && !b.fprocess && b.env.len == 0);
        return 0;
    }
    check(faas_str_trim(faas_str_from(b.fprocess)).len > 0);
    faas_map_for_each (&b.env, e) {
        check(*e->key && !strchr(e->key, '=') && e->value);
    }
    local_bundle_deinit(&b);
    return 0;
}
