#include "cli/commands.h"

#include "cli/cli.h"
#include "cli/json_text.h"
#include "libfaas/base64.h"
#include "libfaas/file.h"

enum { MAX_TOKEN = 1 << 20 };

/* One part of a token: JSON in base64url without padding. */
static json_t *decode(struct faas_str part, const char *what, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};
    json_t *value = NULL;

    if (faas_base64url_decode(&text, part, err) == 0)
        value = faas_json_parse(faas_buf_str(&text), err);
    if (!value)
        faas_error_wrap(err, "the token's %s", what);
    return value;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf file = {0};
    _cleanup_json_ json_t *header = NULL, *payload = NULL, *both = NULL;
    struct faas_str rest, parts[2];

    (void)options;
    if (faas_file_read(cli->args.items[0], MAX_TOKEN, &file, err) < 0)
        return -1;
    rest = faas_str_trim(faas_buf_str(&file));
    parts[0] = faas_str_split(&rest, '.');
    parts[1] = rest.ptr ? faas_str_split(&rest, '.') : rest;
    if (!rest.ptr || faas_str_find(rest, '.') >= 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "the token in %s must have three parts with dots in between",
                         cli->args.items[0]);
    header = decode(parts[0], "header", err);
    if (header)
        payload = decode(parts[1], "payload", err);
    if (!payload)
        return -1;
    both = json_pack("{s:O,s:O}", "header", header, "payload", payload);
    cli_print_json(both);
    return 0;
}

const struct cli_command cli_cmd_print_token = {
    .name = "print-token",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show what a JSON Web Token says",
    .description = "Prints header and payload of a token. Its signature is not checked.",
    .example = "faas-cli print-token ./token.txt",
    .completes = CLI_FILES,
    .run = run,
    .hidden = true,
};
