/* What a function's description must look like before anything is done with it. */
#include "libfaas/api_types.h"

#define MAX_LABEL     63
#define MAX_SUBDOMAIN 253
#define MAX_IMAGE     1024

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_dns_label(struct faas_str s)
{
    if (s.len == 0 || s.len > MAX_LABEL || !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != '-')
            return false;
    }
    return true;
}

static int clipped(struct faas_str s)
{
    return (int)FAAS_MIN(s.len, (size_t)80);
}

int faas_validate_name(const char *what, struct faas_str name, struct faas_error *err)
{
    if (name.len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "%s: is required", what);
    if (is_dns_label(name))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "%s: \"%.*s\" is not a name: up to %d of a-z, 0-9 and '-', "
                     "a letter or digit at both ends",
                     what, clipped(name), name.ptr, MAX_LABEL);
}

int faas_validate_secret_name(struct faas_str name, struct faas_error *err)
{
    struct faas_str rest = name;
    bool ok = name.len > 0 && name.len <= MAX_SUBDOMAIN;

    while (ok && rest.ptr)
        ok = is_dns_label(faas_str_split(&rest, '.'));
    if (ok)
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "secret \"%.*s\": the name must be up to %d of a-z, 0-9, '-' and '.', "
                     "a letter or digit around each dot and at both ends",
                     clipped(name), name.ptr ? name.ptr : "", MAX_SUBDOMAIN);
}

static int check_image(const char *image, struct faas_error *err)
{
    if (!image || !*image)
        return faas_fail(err, FAAS_ERR_INVALID, "image: is required");
    if (strlen(image) > MAX_IMAGE)
        return faas_fail(err, FAAS_ERR_INVALID, "image: longer than %d characters", MAX_IMAGE);
    for (const char *c = image; *c; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "image: \"%.80s\" has a blank or a character that is not ASCII",
                             image);
    }
    return 0;
}

static int check_env(const struct faas_map *env, struct faas_error *err)
{
    static const char *const durations[] = {"exec_timeout", "read_timeout", "write_timeout"};

    faas_map_for_each (env, e) {
        if (!*e->key)
            return faas_fail(err, FAAS_ERR_INVALID, "envVars: a name is empty");
        if (strchr(e->key, '='))
            return faas_fail(err, FAAS_ERR_INVALID, "envVars: the name \"%.80s\" holds a '='",
                             e->key);
    }
    for (size_t i = 0; i < FAAS_ARRAY_LEN(durations); i++) {
        const char *text = faas_map_get(env, durations[i]);
        int64_t ms;

        /* empty: the watchdog's default */
        if (text && *text && faas_parse_duration(faas_str_from(text), &ms, err) < 0)
            return faas_error_wrap(err, "envVars.%s", durations[i]);
    }
    return 0;
}

static int check_keys(const char *what, const struct faas_map *m, struct faas_error *err)
{
    faas_map_for_each (m, e) {
        if (!*e->key)
            return faas_fail(err, FAAS_ERR_INVALID, "%s: a name is empty", what);
    }
    return 0;
}

/* *milli is left alone when text is not given. */
static int check_quantity(const char *object, const char *key, const char *text, int64_t least,
                          int64_t *milli, struct faas_error *err)
{
    if (!text)
        return 0;
    if (faas_parse_quantity(faas_str_from(text), milli, err) < 0)
        return faas_error_wrap(err, "%s.%s", object, key);
    if (*milli >= least)
        return 0;
    if (*milli > 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "%s.%s: \"%.64s\" is less than one byte (m means thousandths, "
                         "Mi is mebibytes)",
                         object, key, text);
    return faas_fail(err, FAAS_ERR_INVALID, "%s.%s: \"%.64s\" is too little", object, key, text);
}

static int check_devices(const char *object, const struct faas_map *devices, struct faas_error *err)
{
    faas_map_for_each (devices, e) {
        int64_t milli;

        if (faas_parse_quantity(faas_str_from(e->value), &milli, err) < 0)
            return faas_error_wrap(err, "%s.%s", object, e->key);
    }
    return 0;
}

static int check_within(const char *key, int64_t request, int64_t limit,
                        const struct faas_function_spec *s, struct faas_error *err)
{
    bool cpu = strcmp(key, "cpu") == 0;

    if (request <= limit)
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "requests.%s: %.64s is more than limits.%s, %.64s", key,
                     cpu ? s->requests.cpu : s->requests.memory, key,
                     cpu ? s->limits.cpu : s->limits.memory);
}

static int check_resources(const struct faas_function_spec *s, struct faas_error *err)
{
    const int64_t one_byte = 1000;
    int64_t memory_limit = INT64_MAX, cpu_limit = INT64_MAX;
    int64_t memory_request = 0, cpu_request = 0;

    if (check_quantity("limits", "memory", s->limits.memory, one_byte, &memory_limit, err) < 0 ||
        check_quantity("limits", "cpu", s->limits.cpu, 1, &cpu_limit, err) < 0 ||
        check_devices("limits", &s->limits.devices, err) < 0 ||
        check_quantity("requests", "memory", s->requests.memory, 0, &memory_request, err) < 0 ||
        check_quantity("requests", "cpu", s->requests.cpu, 0, &cpu_request, err) < 0 ||
        check_devices("requests", &s->requests.devices, err) < 0 ||
        check_within("memory", memory_request, memory_limit, s, err) < 0)
        return -1;
    return check_within("cpu", cpu_request, cpu_limit, s, err);
}

int faas_function_spec_validate(const struct faas_function_spec *s, struct faas_error *err)
{
    struct faas_scaling scaling;

    if (faas_validate_name("service", faas_str_from(s->service), err) < 0 ||
        check_image(s->image, err) < 0)
        return -1;
    if (s->namespace_ && faas_validate_name("namespace", faas_str_from(s->namespace_), err) < 0)
        return -1;
    faas_strv_for_each(&s->secrets, name)
    {
        if (faas_validate_secret_name(faas_str_from(*name), err) < 0)
            return faas_error_wrap(err, "secrets");
    }
    if (check_env(&s->env, err) < 0 || check_keys("labels", &s->labels, err) < 0 ||
        check_keys("annotations", &s->annotations, err) < 0 || check_resources(s, err) < 0)
        return -1;
    return faas_scaling_from_labels(&s->labels, &scaling, err);
}
