#include "watchdog/static_path.h"

#include "libfaas/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/openat2.h> is not there for every C library that we build with. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define BENEATH       0x08 /* RESOLVE_BENEATH */
#define NO_MAGICLINKS 0x02 /* RESOLVE_NO_MAGICLINKS */

struct how {
    uint64_t flags, mode, resolve;
};

enum { READING = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

/* Appends "/segment" to the path of len bytes; returns its new length. */
static size_t push(char *to, size_t len, struct faas_str segment)
{
    if (len)
        to[len++] = '/';
    memcpy(to + len, segment.ptr, segment.len);
    return len + segment.len;
}

static size_t pop(const char *path, size_t len)
{
    ptrdiff_t slash = faas_str_rfind((struct faas_str){path, len}, '/');

    return slash < 0 ? 0 : (size_t)slash;
}

bool wd_static_clean(struct faas_arena *arena, struct faas_str path, const char **out)
{
    struct faas_str rest;
    size_t len = 0;
    char *to;

    if (!faas_url_decode(arena, path, &rest) || memchr(rest.ptr, '\0', rest.len))
        return false;
    to = faas_arena_alloc(arena, rest.len + 2);
    while (rest.ptr) {
        struct faas_str segment = faas_str_split(&rest, '/');

        if (faas_str_eqz(segment, ".."))
            len = pop(to, len);
        else if (segment.len && !faas_str_eqz(segment, "."))
            len = push(to, len, segment);
    }
    if (len == 0)
        to[len++] = '.';
    to[len] = '\0';
    *out = to;
    return true;
}

int wd_open_beneath_walking(int root, const char *path)
{
    struct faas_str rest = faas_str_from(path);
    int at = root;

    while (rest.ptr) {
        struct faas_str segment = faas_str_split(&rest, '/');
        char name[256];
        int next, failure;

        if (segment.len >= sizeof(name)) {
            errno = ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(name, segment.ptr, segment.len);
            name[segment.len] = '\0';
            next = openat(at, name,
                          rest.ptr ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
                                   : READING | O_NOFOLLOW);
        }
        failure = errno;
        if (at != root)
            close(at);
        if (next < 0) {
            errno = failure;
            return -1;
        }
        at = next;
    }
    return at;
}

int wd_open_beneath(int root, const char *path)
{
    const struct how how = {.flags = READING, .resolve = BENEATH | NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

    /* An old kernel, or a filter for system calls that does not know it. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return wd_open_beneath_walking(root, path);
    return (int)fd;
}
