#include "providers/local/record.h"

#include "libfaas/alloc.h"
#include "libfaas/clock.h"

#define RECORD_VERSION 1
#define DIGEST_PREFIX  "sha256:"

void local_record_deinit(struct local_record *r)
{
    faas_function_spec_deinit(&r->spec);
    free(r->digest);
    *r = (struct local_record){0};
}

void local_record_copy(struct local_record *into, const struct local_record *from)
{
    struct local_record copy = {
        .desired = from->desired,
        .uid = from->uid,
        .digest = from->digest ? faas_strdup(from->digest) : NULL,
        .created_ns = from->created_ns,
    };

    faas_function_spec_copy(&copy.spec, &from->spec);
    local_record_deinit(into);
    *into = copy;
}

bool local_digest_valid(const char *digest)
{
    const size_t prefix = sizeof(DIGEST_PREFIX) - 1;

    return strncmp(digest, DIGEST_PREFIX, prefix) == 0 && strlen(digest) == prefix + 64 &&
           strspn(digest + prefix, "0123456789abcdef") == 64;
}

static int parse_numbers(const json_t *j, struct local_record *r, struct faas_error *err)
{
    _cleanup_free_ char *created = NULL;
    uint64_t version = 0, uid = 0;

    if (faas_json_get_u64(j, "version", &version, err) < 0 ||
        faas_json_get_u64(j, "desired", &r->desired, err) < 0 ||
        faas_json_get_u64(j, "uid", &uid, err) < 0 ||
        faas_json_get_string(j, "createdAt", &created, err) < 0)
        return -1;
    if (version != RECORD_VERSION)
        return faas_fail(err, FAAS_ERR_INVALID, "version is %llu, not %d",
                         (unsigned long long)version, RECORD_VERSION);
    if (uid > INT32_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "uid is out of range");
    if (!created || faas_parse_time(created, &r->created_ns) < 0)
        return faas_fail(err, FAAS_ERR_INVALID, "createdAt is not a time");
    r->uid = (uid_t)uid;
    return 0;
}

/* Everything that becomes part of a path is checked again: the file may have been edited. */
static int check_names(const struct local_record *r, struct faas_error *err)
{
    if (faas_validate_name("service", faas_str_from(r->spec.service), err) < 0 ||
        faas_validate_name("namespace", faas_str_from(r->spec.namespace_), err) < 0)
        return -1;
    faas_strv_for_each(&r->spec.secrets, name)
    {
        if (faas_validate_secret_name(faas_str_from(*name), err) < 0)
            return -1;
    }
    if (!r->spec.image || !*r->spec.image)
        return faas_fail(err, FAAS_ERR_INVALID, "image is missing");
    if (!r->digest || !local_digest_valid(r->digest))
        return faas_fail(err, FAAS_ERR_INVALID, "digest is not a sha256");
    return 0;
}

static int parse(const json_t *j, struct local_record *r, struct faas_error *err)
{
    const json_t *spec = faas_json_get(j, "function");

    if (!json_is_object(j))
        return faas_fail(err, FAAS_ERR_INVALID, "it is not a JSON object");
    if (!json_is_object(spec))
        return faas_fail(err, FAAS_ERR_INVALID, "function is missing");
    if (parse_numbers(j, r, err) < 0 || faas_json_get_string(j, "digest", &r->digest, err) < 0 ||
        faas_function_spec_from_json(&r->spec, spec, err) < 0)
        return -1;
    return check_names(r, err);
}

int local_record_parse(struct faas_str text, struct local_record *r, struct faas_error *err)
{
    _cleanup_json_ json_t *j = faas_json_parse(text, err);

    if (!j)
        return -1;
    if (parse(j, r, err) < 0) {
        local_record_deinit(r);
        return -1;
    }
    return 0;
}

void local_record_write(struct faas_buf *out, const struct local_record *r)
{
    _cleanup_json_ json_t *j = json_object();
    char created[40];

    faas_format_time_go(r->created_ns, created);
    json_object_set_new(j, "version", json_integer(RECORD_VERSION));
    json_object_set_new(j, "desired", json_integer((json_int_t)r->desired));
    json_object_set_new(j, "uid", json_integer((json_int_t)r->uid));
    json_object_set_new(j, "digest", json_string(r->digest));
    json_object_set_new(j, "createdAt", json_string(created));
    json_object_set_new(j, "function", faas_function_spec_to_json(&r->spec));
    faas_json_write(out, j, 2);
    faas_buf_append_c(out, '\n');
}
