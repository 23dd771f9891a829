#include "cli/stdin.h"

#include "cli/out.h"

#include <errno.h>
#include <sys/stat.h>

static void tell_how_to_end(void)
{
    struct stat st;

    if (fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode))
        cli_note("Reading from standard input; Ctrl-D ends it.\n");
}

int cli_read_stdin(struct faas_buf *out, size_t max, struct faas_error *err)
{
    enum { PIECE = 65536 };

    tell_how_to_end();
    for (;;) {
        ssize_t n = read(STDIN_FILENO, faas_buf_reserve(out, PIECE), PIECE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "standard input");
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        if (out->len > max)
            return faas_fail(err, FAAS_ERR_TOO_LARGE, "standard input: more than %zu bytes", max);
    }
}
