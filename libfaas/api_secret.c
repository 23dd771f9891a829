#include "libfaas/api_spec.h"

#include "libfaas/alloc.h"
#include "libfaas/base64.h"

void faas_secret_deinit(struct faas_secret *s)
{
    free(s->name);
    free(s->namespace_);
    if (s->value.data)
        explicit_bzero(s->value.data, s->value.cap);
    faas_buf_deinit(&s->value);
    *s = (struct faas_secret){0};
}

static void wipe(char **s)
{
    if (*s)
        explicit_bzero(*s, strlen(*s));
    free(*s);
}

static int read_value(struct faas_secret *s, const json_t *j, struct faas_error *err)
{
    _cleanup_(wipe) char *value = NULL;
    _cleanup_(wipe) char *raw = NULL;

    if (faas_api_read_string(j, "value", &value, err) < 0 ||
        faas_api_read_string(j, "rawValue", &raw, err) < 0)
        return -1;
    if (raw)
        return faas_base64_decode(&s->value, faas_str_from(raw), err) < 0
                   ? faas_error_wrap(err, "rawValue")
                   : 0;
    if (value)
        faas_buf_append_z(&s->value, value);
    return 0;
}

int faas_secret_from_json(struct faas_secret *s, const json_t *j, struct faas_error *err)
{
    if (faas_json_expect_object(j, "secret", err) < 0 ||
        faas_api_read_string(j, "name", &s->name, err) < 0 ||
        faas_api_read_string(j, "namespace", &s->namespace_, err) < 0)
        return -1;
    if (!s->name)
        return faas_fail(err, FAAS_ERR_INVALID, "name: is required");
    return read_value(s, j, err);
}
