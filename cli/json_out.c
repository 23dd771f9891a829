#include "cli/json_out.h"

#include "cli/out.h"

void cli_print_json(const json_t *v)
{
    _cleanup_buf_ struct faas_buf text = {0};

    faas_json_write(&text, v, 2);
    faas_buf_append_c(&text, '\n');
    cli_write(faas_buf_str(&text));
}
