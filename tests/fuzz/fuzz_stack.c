/* Stack files: every refusal says why, and one that is accepted can be selected from and added to,
 * which gives a file that is accepted again with one function more. */
#include "cli/stack_edit.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *self, const char *name)
{
    (void)self;
    return name[0] == 'V' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cli_resource_options none;
    const struct cli_env env = {.get = get};
    const struct cli_new_function fn = {
        .name = "zz-new", .lang = "c", .handler = "zz", .image = "zz", .resources = &none};
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_stack_ struct cli_stack s = {0};
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_error err = {0};

    if (size > 16384)
        return 0;
    if (cli_stack_parse(&s, text, "fuzz", &env, &err) < 0)
        assert(err.code == FAAS_ERR_INVALID && err.msg[0]);
    else if (s.n_functions > 0)
        assert(cli_stack_select(&s, "*", NULL, NULL) == 0);
    err = (struct faas_error){0};
    if (cli_stack_append(&out, text, "fuzz", &fn, &err) < 0) {
        assert(err.msg[0]);
    } else {
        _cleanup_stack_ struct cli_stack again = {0};

        assert(cli_stack_parse(&again, faas_buf_str(&out), "fuzz", NULL, NULL) == 0);
        assert(cli_stack_find(&again, fn.name));
    }
    return 0;
}
