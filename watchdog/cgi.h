/* The function's environment: ours, made once, and behind it the request as
 * Http_* variables, made for every call. */
#ifndef FAAS_WATCHDOG_CGI_H
#define FAAS_WATCHDOG_CGI_H

#include "libfaas/arena.h"
#include "libfaas/http.h"
#include "libfaas/map.h"
#include "watchdog/family.h"

/* What every function gets. Its strings are borrowed from the watchdog's own environment. */
struct wd_base_env {
    char **all;   /* NULL-terminated */
    char **plain; /* those that no request can override, ready to be copied in one go */
    size_t n_plain;
    char **http; /* presets that begin with "Http_": a request may override them */
    size_t n_http;
};

/* Leaves out what concerns us alone: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES. */
void wd_base_env_init(struct wd_base_env *base, char *const *env_vars);
void wd_base_env_deinit(struct wd_base_env *base);

struct wd_cgi_request {
    enum wd_family family; /* of-watchdog tells no host, and of the length what the client said */
    struct faas_str method;
    struct faas_str target; /* as sent, still encoded; may be an absolute URL */
    const struct faas_http_header *headers;
    size_t n_headers;
    int64_t content_length; /* -1: chunked */
};

/* Builds envp in the arena. No name comes twice: the request beats a preset, the request line beats
 * a header, the first of equal headers beats the rest, and "X-A" beats "X_A", since a client could
 * otherwise speak for the gateway. "Proxy" is left out (httpoxy). INVALID when something cannot
 * stand in an environment or the target cannot be decoded. */
char **wd_cgi_env(const struct wd_base_env *base, struct faas_arena *arena,
                  const struct wd_cgi_request *req, struct faas_error *err);

#endif
