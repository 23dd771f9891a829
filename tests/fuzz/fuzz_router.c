/* "METHOD path" against a table such as ours. A match must put the path together again. */
#include "libfaas/router.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct faas_route routes[] = {
    {.method = "*", .pattern = "/function/{name}*"},
    {.method = "GET", .pattern = "/a/{x}"},
    {.method = "POST", .pattern = "/a/{x}"},
    {.method = "GET", .pattern = "/a/{x}/b/{y}*"},
    {.method = "GET", .pattern = "/ui/*"},
    {.method = "GET", .pattern = "/docs*"},
    {.method = "GET", .pattern = "/"},
};

/* Takes what the pattern's next piece stands for off the path. */
static struct faas_str skip(struct faas_str path, struct faas_str piece)
{
    if (!faas_str_starts(path, piece))
        abort();
    return (struct faas_str){.ptr = path.ptr + piece.len, .len = path.len - piece.len};
}

static void check_match(const struct faas_route_match *m, struct faas_str path)
{
    size_t n = 0;

    for (const char *p = m->route->pattern; *p; p++) {
        if (*p == '{') {
            if (m->params[n].len == 0 || faas_str_find(m->params[n], '/') >= 0)
                abort();
            path = skip(path, m->params[n++]);
            p = strchr(p, '}');
        } else if (p[0] == '*' || (p[0] == '/' && p[1] == '*')) {
            if (m->rest.len > 0 && m->rest.ptr[0] != '/')
                abort();
            path = skip(path, m->rest);
            break;
        } else {
            path = skip(path, (struct faas_str){.ptr = p, .len = 1});
        }
    }
    if (path.len != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str path = {.ptr = (const char *)data, .len = size};
    struct faas_str method = faas_str_split(&path, ' ');
    struct faas_route_match m;
    struct faas_error err;
    char allowed[64], none[64];

    if (faas_router_match(routes, FAAS_ARRAY_LEN(routes), method, path, &m, allowed, &err) == 0) {
        check_match(&m, path);
        return 0;
    }
    if ((err.code == FAAS_ERR_INVALID) != (allowed[0] != '\0'))
        abort();
    if (allowed[0]) { /* then with the first of these it must work */
        struct faas_str list = faas_str_from(allowed);

        if (faas_router_match(routes, FAAS_ARRAY_LEN(routes), faas_str_split(&list, ','), path, &m,
                              none, &err) < 0)
            abort();
        check_match(&m, path);
    }
    return 0;
}
