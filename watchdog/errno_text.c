#include "watchdog/errno_text.h"

#include "libfaas/macros.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What pipe2, clone3, setrlimit and execve may fail with. */
static const struct {
    int sys_errno;
    const char *text;
} texts[] = {
    {E2BIG, "argument list too long"},
    {EACCES, "permission denied"},
    {EAGAIN, "resource temporarily unavailable"},
    {EFAULT, "bad address"},
    {EINVAL, "invalid argument"},
    {EIO, "input/output error"},
    {EISDIR, "is a directory"},
    {ELIBBAD, "accessing a corrupted shared library"},
    {ELOOP, "too many levels of symbolic links"},
    {EMFILE, "too many open files"},
    {ENAMETOOLONG, "file name too long"},
    {ENFILE, "too many open files in system"},
    {ENOENT, "no such file or directory"},
    {ENOEXEC, "exec format error"},
    {ENOMEM, "cannot allocate memory"},
    {ENOSPC, "no space left on device"},
    {ENOTDIR, "not a directory"},
    {EPERM, "operation not permitted"},
    {ETXTBSY, "text file busy"},
    {EUSERS, "too many users"},
};

const char *wd_errno_text(int sys_errno)
{
    static char other[128];

    for (size_t i = 0; i < FAAS_ARRAY_LEN(texts); i++)
        if (texts[i].sys_errno == sys_errno)
            return texts[i].text;
    snprintf(other, sizeof(other), "%s", strerror(sys_errno));
    other[0] = (char)tolower((unsigned char)other[0]);
    return other;
}
