#include "cli/json_text.h"

#include "cli/out.h"

void cli_print_json(const json_t *v)
{
    _cleanup_buf_ struct faas_buf text = {0};

    faas_json_write(&text, v, 2);
    faas_buf_append_c(&text, '\n');
    cli_write(faas_buf_str(&text));
}

const char *cli_json_text(const json_t *object, const char *key)
{
    const char *s = object ? json_string_value(faas_json_get(object, key)) : NULL;

    return s ? s : "";
}
