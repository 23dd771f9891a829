/* Environment substitution: a text without '$' and '\' comes back as it is, and every refusal says
 * why. */
#include "cli/envsubst.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *self, const char *name)
{
    (void)self;
    switch (name[0]) {
    case 'V':
        return "some/Value-1.2";
    case 'E':
        return "";
    default:
        return NULL;
    }
}

static bool is_plain(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '$' || s.ptr[i] == '\\')
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cli_env env = {.get = get};
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_error err = {0};

    if (size > 4096)
        return 0;
    if (cli_envsubst(text, "fuzz", &env, &out, &err) < 0)
        assert(err.code == FAAS_ERR_INVALID && err.msg[0]);
    else if (is_plain(text))
        assert(faas_str_eq(text, faas_buf_str(&out)));
    return 0;
}
