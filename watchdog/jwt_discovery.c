#include "watchdog/jwt_discovery.h"

#include "libfaas/alloc.h"
#include "libfaas/json.h"
#include "libfaas/url.h"
#include "watchdog/http_get.h"

#define CONFIGURATION "/.well-known/openid-configuration"

char *wd_jwt_configuration_url(const char *gateway)
{
    struct faas_str base = faas_str_from(gateway);

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    return faas_asprintf("%.*s" CONFIGURATION, FAAS_STR_FMT(base));
}

static int get_string(const json_t *doc, const char *name, const char **out, struct faas_error *err)
{
    const json_t *v = json_object_get(doc, name);

    if (!json_is_string(v) || json_string_length(v) == 0)
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "\"%s\" is missing or no text", name);
    *out = json_string_value(v);
    return 0;
}

/* TLS has no place here. But the keys lie with the gateway that named them, which a public URL only
 * leads back to: the same path is asked for where the configuration came from. */
static int reachable_url(const char *jwks_uri, const char *gateway, char **out,
                         struct faas_error *err)
{
    struct faas_url keys, base;

    if (faas_url_parse(&keys, faas_str_from(jwks_uri), err) < 0)
        return faas_error_wrap(err, "jwks_uri");
    if (faas_url_is_plain(&keys)) {
        *out = faas_strdup(jwks_uri);
        return 0;
    }
    if (faas_url_parse(&base, faas_str_from(gateway), err) < 0)
        return -1;
    *out = faas_asprintf("http://%.*s%.*s", FAAS_STR_FMT(base.authority), FAAS_STR_FMT(keys.path));
    return 0;
}

static int fetch_keys(const json_t *configuration, const char *gateway, struct faas_buf *out,
                      struct faas_error *err)
{
    _cleanup_free_ char *url = NULL;
    const char *issuer, *jwks_uri;

    if (get_string(configuration, "issuer", &issuer, err) < 0 ||
        get_string(configuration, "jwks_uri", &jwks_uri, err) < 0 ||
        reachable_url(jwks_uri, gateway, &url, err) < 0)
        return -1;
    faas_buf_append(out, issuer, strlen(issuer) + 1);
    return wd_http_get(url, out, err);
}

int wd_jwt_discover(const void *gateway, struct faas_buf *out, struct faas_error *err)
{
    _cleanup_free_ char *url = wd_jwt_configuration_url(gateway);
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_json_ json_t *doc = NULL;

    if (wd_http_get(url, &text, err) < 0)
        return -1;
    doc = faas_json_parse(faas_buf_str(&text), err);
    if (!doc || fetch_keys(doc, gateway, out, err) < 0)
        return faas_error_wrap(err, "%.120s", url);
    return 0;
}

int wd_jwt_discovered(struct faas_str result, const char **issuer, struct faas_str *jwks,
                      struct faas_error *err)
{
    const char *end = result.len ? memchr(result.ptr, '\0', result.len) : NULL;

    if (!end || end == result.ptr)
        return faas_fail(err, FAAS_ERR_INTERNAL, "the discovery's result has no issuer");
    *issuer = result.ptr;
    *jwks = (struct faas_str){.ptr = end + 1, .len = result.len - (size_t)(end + 1 - result.ptr)};
    return 0;
}
