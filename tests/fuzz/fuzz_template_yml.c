/* template.yml: every refusal says why; one that is accepted writes nowhere but into its context.
 */
#include "cli/template.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_template_ struct cli_template t = {0};
    struct faas_error err = {0};
    struct faas_str rest;

    if (size > 16384)
        return 0;
    if (cli_template_parse(&t, text, "fuzz", &err) < 0) {
        assert(err.code == FAAS_ERR_INVALID && err.msg[0]);
        return 0;
    }
    assert(t.handler_folder && *t.handler_folder && *t.handler_folder != '/');
    rest = faas_str_from(t.handler_folder);
    while (rest.ptr)
        assert(!faas_str_eqz(faas_str_split(&rest, '/'), ".."));
    for (size_t i = 0; i < t.n_build_options; i++)
        assert(t.build_options[i].name && *t.build_options[i].name);
    return 0;
}
