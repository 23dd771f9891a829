/* Input: a request head as it comes over the wire (first line: target; then "Name: value" lines).
 * Invariants: every entry has a name and '=', no name comes twice, no preset is lost unless the
 * request overrides it, and Http_Proxy is never set. */
#include "watchdog/cgi.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check(char **envp)
{
    size_t n = 0;
    bool has_method = false;

    for (; envp[n]; n++) {
        const char *equals = strchr(envp[n], '=');

        assert(equals && equals > envp[n]);
        assert(strncmp(envp[n], "Http_Proxy=", 11) != 0);
        has_method |= strcmp(envp[n], "Http_Method=POST") == 0;
    }
    assert(has_method);
    assert(n >= 4); /* PATH, Http_Method and both lengths */
    qsort(envp, n, sizeof(*envp), by_name);
    for (size_t i = 1; i < n; i++) {
        size_t len = (size_t)(strchr(envp[i], '=') - envp[i]) + 1;

        assert(strncmp(envp[i - 1], envp[i], len) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *environ_of_test[] = {"PATH=/bin", "Http_Method=GET", "Http_X=1", NULL};
    struct faas_http_header headers[64];
    struct faas_str rest = {.ptr = (const char *)data, .len = size};
    struct wd_cgi_request req = {.method = FAAS_STR("POST"), .headers = headers};
    struct wd_base_env base;
    struct faas_arena arena = {0};
    char **envp;

    if (size == 0)
        return 0;
    req.content_length = data[0] % 3 - 1;
    req.target = faas_str_split(&rest, '\n');
    while (rest.ptr && req.n_headers < FAAS_ARRAY_LEN(headers)) {
        struct faas_str value = faas_str_split(&rest, '\n');
        struct faas_str name = faas_str_split(&value, ':');

        if (!value.ptr)
            value = FAAS_STR("");
        headers[req.n_headers++] = (struct faas_http_header){name, value};
    }
    wd_base_env_init(&base, environ_of_test);
    envp = wd_cgi_env(&base, &arena, &req, NULL);
    if (envp)
        check(envp);
    faas_arena_deinit(&arena);
    wd_base_env_deinit(&base);
    return 0;
}
