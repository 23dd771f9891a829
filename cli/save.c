#include "cli/save.h"

#include "libfaas/cleanup.h"
#include "libfaas/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static int write_into(const char *path, struct faas_str data, struct faas_error *err)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open %s", path);
    return faas_write_all(fd, data.ptr, data.len, err) == 0
               ? 0
               : faas_error_wrap(err, "write %s", path);
}

int cli_save(const char *path, struct faas_str data, mode_t mode, struct faas_error *err)
{
    char real[PATH_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_into(path, data, err);
    return faas_file_replace(realpath(path, real) ? real : path, data, mode, err);
}
