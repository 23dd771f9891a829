/* What a function written in C sees of its request, and how it answers. */
#ifndef FUNCTION_H
#define FUNCTION_H

#include <stddef.h>

struct fn_request {
    const char *method; /* "POST" */
    const char *path;   /* "/", percent-decoded */
    const char *query;  /* as it came, without '?'; "" when there is none */
    const char *body;   /* len bytes and a NUL behind them */
    size_t len;
};

struct fn_response {
    int status; /* 200; one process a request can only tell well from not: 400 and above is a 500 */
    char *body;
    size_t len;
    size_t cap;
};

/* Yours. Zero: the response is sent. Anything else: the caller gets a 500. */
int handle(const struct fn_request *req, struct fn_response *res);

/* A header by its name ("Content-Type", case does not matter), or NULL. */
const char *fn_header(const struct fn_request *req, const char *name);

/* These append to the answer. */
void fn_write(struct fn_response *res, const void *data, size_t len);
void fn_printf(struct fn_response *res, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One of the function's secrets, to be freed by the caller; NULL and errno when it is not there. */
char *fn_secret(const char *name);

#endif
