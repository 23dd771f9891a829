/* Whatever a client posts as a function: what is written of it reads back as the same, and the
 * writer's output is always JSON. */
#include "libfaas/api_types.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_json(struct faas_buf *out, json_t *j)
{
    faas_json_write(out, j, 0);
}

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void any_json_is_stable(json_t *j)
{
    _cleanup_buf_ struct faas_buf first = {0}, second = {0};
    _cleanup_json_ json_t *again = NULL;

    write_json(&first, j);
    again = faas_json_parse(faas_buf_str(&first), NULL);
    check(again != NULL, "what was written does not parse");
    write_json(&second, again);
    check(faas_str_eq(faas_buf_str(&first), faas_buf_str(&second)), "the JSON changed");
}

static void a_spec_is_stable(json_t *j)
{
    _cleanup_(faas_function_spec_deinit) struct faas_function_spec s = {0}, back = {0};
    _cleanup_json_ json_t *first = NULL, *again = NULL, *second = NULL;
    _cleanup_buf_ struct faas_buf a = {0}, b = {0};
    struct faas_error err;

    if (faas_function_spec_from_json(&s, j, &err) < 0)
        return;
    first = faas_function_spec_to_json(&s);
    write_json(&a, first);
    again = faas_json_parse(faas_buf_str(&a), NULL);
    check(again && faas_function_spec_from_json(&back, again, NULL) == 0,
          "a written spec does not parse");
    second = faas_function_spec_to_json(&back);
    write_json(&b, second);
    check(faas_str_eq(faas_buf_str(&a), faas_buf_str(&b)), "the spec changed");
    check((faas_function_spec_validate(&s, &err) < 0) ==
              (faas_function_spec_validate(&back, &err) < 0),
          "the same spec is valid once only");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_json_ json_t *j =
        faas_json_parse((struct faas_str){.ptr = (const char *)data, .len = size}, NULL);

    if (!j)
        return 0;
    any_json_is_stable(j);
    a_spec_is_stable(j);
    return 0;
}
