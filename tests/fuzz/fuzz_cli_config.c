/* The login file: one that is accepted is written in a form that reads back as the same. */
#include "cli/config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_config_ struct cli_config first = {0};
    _cleanup_config_ struct cli_config second = {0};
    _cleanup_buf_ struct faas_buf once = {0};
    _cleanup_buf_ struct faas_buf twice = {0};
    struct faas_error err = {0};

    if (size > 16384)
        return 0;
    if (cli_config_parse(&first, text, "fuzz", &err) < 0) {
        assert(err.msg[0]);
        return 0;
    }
    cli_config_write(&once, &first);
    assert(cli_config_parse(&second, faas_buf_str(&once), "fuzz", NULL) == 0);
    cli_config_write(&twice, &second);
    assert(faas_str_eq(faas_buf_str(&once), faas_buf_str(&twice)));
    return 0;
}
