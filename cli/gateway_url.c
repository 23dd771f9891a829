#include "cli/gateway_url.h"

#include "libfaas/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *cli_gateway_normalise(const char *url)
{
    bool has_scheme = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
    char *out = faas_asprintf("%s%s", has_scheme ? "" : "http://", url);
    size_t len = strlen(out);
    char *host = strstr(out, "://");
    char *end = host ? strchr(host + 3, '/') : NULL;

    while (len > 0 && out[len - 1] == '/')
        out[--len] = '\0';
    for (char *p = out; *p && p != end; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

/* The normalised URL, or NULL when it says nothing. */
static char *spoken(const char *url, bool default_counts)
{
    char *out;

    if (!url || !*url)
        return NULL;
    out = cli_gateway_normalise(url);
    if (default_counts || strcmp(out, CLI_DEFAULT_GATEWAY) != 0)
        return out;
    free(out);
    return NULL;
}

char *cli_gateway_choose(const char *flag, const char *stack, const char *environment)
{
    char *url = spoken(flag, false);

    if (!url)
        url = spoken(stack, false);
    if (!url)
        url = spoken(environment, true);
    return url ? url : faas_strdup(CLI_DEFAULT_GATEWAY);
}

int cli_gateway_check(const char *url, struct faas_error *err)
{
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end ? scheme_end + 3 : "";

    if (!strchr("/:", *host) && !strpbrk(host, " \t") && !strstr(host, "://"))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "the gateway's URL must be http://HOST:PORT or https://HOST:PORT, not \"%s\"",
                     url);
}

bool cli_gateway_is_exposed(const char *url)
{
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
        size_t len = strlen(here[i]);

        if (strncmp(url, here[i], len) == 0 && strchr(":/", url[len]))
            return false;
    }
    return strncmp(url, "https://", 8) != 0;
}
