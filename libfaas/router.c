#include "libfaas/router.h"

#include <assert.h>

/* Takes one segment: everything up to the next slash. */
static struct faas_str take_segment(struct faas_str *path)
{
    ptrdiff_t slash = faas_str_find(*path, '/');
    struct faas_str segment = {.ptr = path->ptr, .len = slash < 0 ? path->len : (size_t)slash};

    *path = (struct faas_str){.ptr = path->ptr + segment.len, .len = path->len - segment.len};
    return segment;
}

static bool path_matches(const char *pattern, struct faas_str path, struct faas_route_match *out)
{
    size_t n = 0;

    for (const char *p = pattern; *p; p++) {
        if (*p == '{') {
            assert(n < FAAS_ROUTE_PARAMS);
            out->params[n] = take_segment(&path);
            if (out->params[n++].len == 0)
                return false;
            p = strchr(p, '}');
            assert(p);
        } else if (*p == '*') {
            /* a slash that stands before the star is the rest's own */
            if (p > pattern && p[-1] == '/')
                path = (struct faas_str){.ptr = path.ptr - 1, .len = path.len + 1};
            out->rest = path;
            return path.len == 0 || path.ptr[0] == '/';
        } else {
            if (path.len == 0 || path.ptr[0] != *p)
                return false;
            path = (struct faas_str){.ptr = path.ptr + 1, .len = path.len - 1};
        }
    }
    return path.len == 0;
}

/* Adds ", METHOD" unless it is there or would not fit. */
static void allow(char allowed[64], const char *method)
{
    size_t used = strlen(allowed), len = strlen(method);
    struct faas_str rest = {.ptr = allowed, .len = used};

    while (rest.ptr) {
        if (faas_str_eqz(faas_str_trim(faas_str_split(&rest, ',')), method))
            return;
    }
    if (used + 2 + len >= 64)
        return;
    if (used > 0) {
        memcpy(allowed + used, ", ", 2);
        used += 2;
    }
    memcpy(allowed + used, method, len + 1);
}

int faas_router_match(const struct faas_route *routes, size_t n, struct faas_str method,
                      struct faas_str path, struct faas_route_match *out, char allowed[64],
                      struct faas_error *err)
{
    allowed[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        *out = (struct faas_route_match){.route = &routes[i]};
        if (!path_matches(routes[i].pattern, path, out))
            continue;
        if (strcmp(routes[i].method, "*") == 0 || faas_str_eqz(method, routes[i].method))
            return 0;
        allow(allowed, routes[i].method);
    }
    *out = (struct faas_route_match){0};
    if (allowed[0])
        return faas_fail(err, FAAS_ERR_INVALID, "method %.*s is not allowed here (only %s)",
                         (int)FAAS_MIN(method.len, (size_t)32), method.ptr, allowed);
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "no such path: %.*s",
                     (int)FAAS_MIN(path.len, (size_t)128), path.ptr);
}
