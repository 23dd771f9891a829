#include "cli/password.h"

#include "cli/out.h"
#include "cli/stdin.h"

enum { MAX_PASSWORD = 1 << 16 };

static int read_source(const struct cli_password_source *s, struct faas_buf *out,
                       struct faas_error *err)
{
    if (s->literal && s->from_stdin)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "--password and --password-stdin exclude each other");
    if (!s->literal && !s->from_stdin)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is no password: give it on standard input with --password-stdin");
    if (s->from_stdin)
        return cli_read_stdin(out, MAX_PASSWORD, err);
    cli_note("WARNING! A password given by --password shows up in the list of processes and in the "
             "shell's history; use --password-stdin.\n");
    faas_buf_append_z(out, s->literal);
    return 0;
}

char *cli_password_read(const struct cli_password_source *s, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf typed = {0};
    struct faas_str password;

    if (read_source(s, &typed, err) < 0)
        return NULL;
    password = faas_str_trim(faas_buf_str(&typed));
    if (password.len > 0)
        return faas_str_dup(password);
    faas_fail(err, FAAS_ERR_INVALID, "the password is empty");
    return NULL;
}
