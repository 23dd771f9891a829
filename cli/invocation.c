#include "cli/invocation.h"

#include "cli/out.h"
#include "cli/url.h"
#include "libfaas/api_types.h"
#include "libfaas/crypto.h"

#include <strings.h>

static const char *choose_namespace(const struct cli_invoke_options *o,
                                    const struct cli_stack *stack, const char *name)
{
    const struct cli_function *fn = cli_stack_find(stack, name);

    if (o->namespace_ && *o->namespace_)
        return o->namespace_;
    return fn && fn->namespace_ ? fn->namespace_ : FAAS_DEFAULT_NAMESPACE;
}

/* Functions live at the root of the gateway's host, whatever path its URL has. */
static struct faas_str host_part(const char *gateway)
{
    const char *host = strstr(gateway, "://");
    const char *path = strchr(host ? host + 3 : gateway, '/');

    return (struct faas_str){.ptr = gateway,
                             .len = path ? (size_t)(path - gateway) : strlen(gateway)};
}

static void append_parameter(struct faas_buf *url, const char *before, struct faas_str key,
                             struct faas_str value)
{
    faas_buf_append_z(url, before);
    cli_url_escape(url, key);
    faas_buf_append_c(url, '=');
    cli_url_escape(url, value);
}

/* Keys sorted, the values of one key in the order given. */
static int append_query(struct faas_buf *url, const struct faas_strv *query, struct faas_error *err)
{
    _cleanup_map_ struct faas_map keys = {0};
    const char *before = "?";
    struct faas_str key, value;

    faas_strv_for_each(query, item)
    {
        if (cli_parse_pair(*item, &key, &value, err) < 0)
            return faas_error_wrap(err, "flag --query: \"%s\"", *item);
        faas_map_set_str(&keys, key, value);
    }
    faas_map_sort(&keys);
    faas_map_for_each (&keys, e) {
        faas_strv_for_each(query, item)
        {
            if (cli_parse_pair(*item, &key, &value, err) < 0 || !faas_str_eqz(key, e->key))
                continue;
            append_parameter(url, before, key, value);
            before = "&";
        }
    }
    return 0;
}

/* "Key: Value", or "key=value" as it was written once. */
static int add_header(struct cli_invocation *inv, const char *item, bool *old_style,
                      struct faas_error *err)
{
    size_t at = strcspn(item, ":=");
    struct faas_str key = faas_str_trim((struct faas_str){.ptr = item, .len = at});
    struct faas_str value = faas_str_trim(faas_str_from(item[at] ? item + at + 1 : ""));

    if (key.len == 0 || value.len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --header: \"%s\": must be 'Key: Value'",
                         item);
    if (strpbrk(item, "\r\n"))
        return faas_fail(err, FAAS_ERR_INVALID, "flag --header: a value cannot have several lines");
    *old_style = *old_style || item[at] == '=';
    faas_strv_addf(&inv->headers, "%.*s: %.*s", FAAS_STR_FMT(key), FAAS_STR_FMT(value));
    return 0;
}

static bool has_header(const struct cli_invocation *inv, const char *start)
{
    faas_strv_for_each(&inv->headers,
                       header) if (strncasecmp(*header, start, strlen(start)) == 0) return true;
    return false;
}

static void add_content_type(struct cli_invocation *inv, const struct cli_invoke_options *o)
{
    static const char name[] = "Content-Type:";
    _cleanup_strv_ struct faas_strv kept = {0};

    if (!o->content_type) {
        if (!has_header(inv, name))
            faas_strv_addf(&inv->headers, "%s text/plain", name);
        return;
    }
    faas_strv_for_each(&inv->headers, header) if (strncasecmp(*header, name, strlen(name)) != 0)
        faas_strv_add(&kept, *header);
    faas_strv_copy(&inv->headers, &kept);
    faas_strv_addf(&inv->headers, "%s %s", name, o->content_type);
}

static int build_headers(struct cli_invocation *inv, const struct cli_invoke_options *o,
                         struct faas_error *err)
{
    bool old_style = false;

    faas_strv_for_each(&o->headers,
                       item) if (add_header(inv, *item, &old_style, err) < 0) return -1;
    if (old_style)
        cli_note("A header written key=value is deprecated; write --header 'Key: Value'.\n");
    add_content_type(inv, o);
    return 0;
}

int cli_invocation_build(struct cli_invocation *inv, const struct cli_invoke_options *o,
                         const struct cli_stack *stack, const char *gateway, const char *name,
                         struct faas_error *err)
{
    if (!o->sign != !o->key)
        return faas_fail(err, FAAS_ERR_INVALID, "--sign and --key are only of use together");
    faas_buf_append_str(&inv->url, host_part(gateway));
    faas_buf_append_z(&inv->url, o->async ? "/async-function/" : "/function/");
    cli_url_escape(&inv->url, faas_str_from(name));
    faas_buf_append_c(&inv->url, '.');
    cli_url_escape(&inv->url, faas_str_from(choose_namespace(o, stack, name)));
    if (append_query(&inv->url, &o->query, err) < 0)
        return -1;
    return build_headers(inv, o, err);
}

void cli_invocation_sign(struct cli_invocation *inv, const struct cli_invoke_options *o)
{
    char mac[65];

    if (!o->sign)
        return;
    faas_hmac_sha256_hex(faas_str_from(o->key), faas_buf_str(&inv->body), mac);
    faas_strv_addf(&inv->headers, "%s: sha256=%s", o->sign, mac);
}

void cli_invocation_deinit(struct cli_invocation *inv)
{
    faas_buf_deinit(&inv->url);
    faas_strv_deinit(&inv->headers);
    faas_buf_deinit(&inv->body);
}
