#include "cli/commands.h"

#include "cli/out.h"
#include "cli/save.h"
#include "libfaas/alloc.h"
#include "libfaas/base64.h"
#include "libfaas/crypto.h"
#include "libfaas/file.h"

struct options {
    int64_t length;
    char *output;
};

static const struct cli_flag flags[] = {
    {.name = "length",
     .type = CLI_INT,
     .at = offsetof(struct options, length),
     .dflt = "32",
     .arg = "BYTES",
     .help = "how many random bytes"},
    {.name = "output",
     .letter = 'o',
     .type = CLI_STRING,
     .at = offsetof(struct options, output),
     .arg = "FILE",
     .help = "write to this file, readable by you only, instead of standard output"},
    {0},
};

enum { MAX_LENGTH = 1 << 16 };

static int write_file(const char *path, const struct faas_buf *secret, struct faas_error *err)
{
    const char *slash = strrchr(path, '/');

    if (slash && slash != path) {
        _cleanup_free_ char *folder = faas_strndup(path, (size_t)(slash - path));

        if (faas_mkdirs(folder, 0700, err) < 0)
            return -1;
    }
    return cli_save(path, faas_buf_str(secret), 0600, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_buf_ struct faas_buf secret = {0};
    _cleanup_free_ char *bytes = NULL;

    (void)cli;
    if (o->length < 1 || o->length > MAX_LENGTH)
        return faas_fail(err, FAAS_ERR_INVALID, "flag --length: must be between 1 and %d",
                         MAX_LENGTH);
    bytes = faas_alloc((size_t)o->length);
    faas_random_bytes(bytes, (size_t)o->length);
    faas_base64_encode(&secret, bytes, (size_t)o->length);
    if (o->output && *o->output)
        return write_file(o->output, &secret, err);
    /* Nothing behind it in a pipe, so that it can be piped into secret create --trim=false. */
    cli_print("%s%s", secret.data, isatty(STDOUT_FILENO) ? "\n" : "");
    return 0;
}

const struct cli_command cli_cmd_secret_generate = {
    .name = "generate",
    .aliases = {"gen"},
    .summary = "Make a random value",
    .description = "Prints random bytes in base64, for use as a secret.",
    .example = "faas-cli secret generate | faas-cli secret create session-key\n"
               "faas-cli secret generate --length 64 -o .secrets/session-key",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
