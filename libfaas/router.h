/* Matches (method, path) against a const table, so that the whole surface of a
 * server stands in one place. Patterns: literal segments, {name} for one segment, and a final
 * "*" for the rest, empty too: "/function/{name}*" takes /function/f, /function/f/,
 * /function/f/a/b. Behind a slash the star asks for that slash: a pattern "/ui/" with a star takes
 * /ui/ and /ui/x but not /ui, and its rest has the slash too. The first row that fits wins, so put
 * the busiest first. Bytes are compared as sent: "%66" is not "f". */
#ifndef FAAS_ROUTER_H
#define FAAS_ROUTER_H

#include "libfaas/str.h"

#define FAAS_ROUTE_PARAMS 4

struct faas_route {
    const char *method; /* "GET", or "*" for every method */
    const char *pattern;
    const void *handler; /* the owner's struct: handler function, auth, body limit … */
};

struct faas_route_match {
    const struct faas_route *route;
    struct faas_str params[FAAS_ROUTE_PARAMS]; /* in order of the pattern; raw, still encoded */
    struct faas_str rest;                      /* what "*" took; starts with '/' or is empty */
};

/* 0; or -1 with NOT_FOUND (no such path), or with INVALID and *allowed filled ("GET, POST") when
 * the path exists but not with this method: the caller answers 405. */
int faas_router_match(const struct faas_route *routes, size_t n, struct faas_str method,
                      struct faas_str path, struct faas_route_match *out, char allowed[64],
                      struct faas_error *err);

#endif
