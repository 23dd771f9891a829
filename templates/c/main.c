/* Runs the handler once: the request comes on standard input, the answer goes to standard output. */
#include "function.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *grow(void *p, size_t size)
{
    void *q = realloc(p, size);

    if (!q) {
        fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", size);
        exit(1);
    }
    return q;
}

static char *reserve(struct fn_response *res, size_t n)
{
    if (res->cap - res->len <= n) {
        res->cap = (res->len + n + 1) * 2;
        res->body = grow(res->body, res->cap);
    }
    return res->body + res->len;
}

void fn_write(struct fn_response *res, const void *data, size_t len)
{
    memcpy(reserve(res, len), data, len);
    res->len += len;
}

void fn_printf(struct fn_response *res, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n <= 0)
        return;
    reserve(res, (size_t)n);
    va_start(ap, format);
    vsnprintf(res->body + res->len, (size_t)n + 1, format, ap);
    va_end(ap);
    res->len += (size_t)n;
}

const char *fn_header(const struct fn_request *req, const char *name)
{
    char variable[256] = "Http_";
    size_t len = strlen(variable);
    int word = 1;

    (void)req;
    for (; *name && len < sizeof(variable) - 1; name++) {
        char c = (char)(word ? toupper((unsigned char)*name) : tolower((unsigned char)*name));

        word = c == '-';
        variable[len++] = word ? '_' : c;
    }
    variable[len] = '\0';
    return getenv(variable);
}

/* Reads all of the descriptor; *len is without the NUL that is put behind. */
static char *read_all(int fd, size_t *len)
{
    char *data = NULL;
    size_t cap = 0;
    ssize_t n;

    *len = 0;
    do {
        if (cap - *len < 4096)
            data = grow(data, cap = cap * 2 + 16384);
        n = read(fd, data + *len, cap - *len - 1);
        if (n > 0)
            *len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    data[*len] = '\0';
    return data;
}

char *fn_secret(const char *name)
{
    const char *folder = getenv("secret_mount_path");
    char path[4096];
    FILE *file;
    char *value;
    size_t len;

    snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/var/openfaas/secrets", name);
    file = fopen(path, "re");
    if (!file)
        return NULL;
    value = read_all(fileno(file), &len);
    fclose(file);
    return value;
}

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value ? value : otherwise;
}

static int write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, data, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int main(void)
{
    struct fn_request req = {
        .method = variable("Http_Method", "POST"),
        .path = variable("Http_Path", "/"),
        .query = variable("Http_Query", ""),
    };
    struct fn_response res = {.status = 200};
    int rc;

    req.body = read_all(STDIN_FILENO, &req.len);
    rc = handle(&req, &res);
    fflush(stdout); /* what a handler printed comes first */
    if (write_all(res.body, res.len) < 0) {
        perror("cannot write the answer");
        return 1;
    }
    if (rc != 0)
        fprintf(stderr, "the handler returned %d\n", rc);
    else if (res.status >= 400)
        fprintf(stderr, "the handler answered with status %d\n", res.status);
    return rc != 0 || res.status >= 400;
}
