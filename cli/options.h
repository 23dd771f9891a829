/* Flags that several commands share: the structs they fill and the tables that describe them. */
#ifndef FAAS_CLI_OPTIONS_H
#define FAAS_CLI_OPTIONS_H

#include "cli/cli.h"
#include "cli/stack.h"

/* How to reach a gateway. */
struct cli_connect {
    char *gateway; /* NULL: not given */
    bool tls_no_verify;
    char *token;
};

extern const struct cli_flag cli_gateway_flags[]; /* --gateway, --tls-no-verify */
/* The same, of commands that read no stack file. */
extern const struct cli_flag cli_gateway_flags_alone[];
extern const struct cli_flag cli_token_flags[]; /* --token; also of struct cli_connect */

/* What a function may use. */
struct cli_resource_options {
    char *cpu_request;
    char *cpu_limit;
    char *memory_request;
    char *memory_limit;
};

extern const struct cli_flag cli_resource_flags[];

/* Rows for a command's own table; its options have a member of that name. */
#define CLI_ROW_NAMESPACE(options)                               \
    {                                                            \
        .name = "namespace", .letter = 'n', .type = CLI_STRING,  \
        .at = offsetof(options, namespace_), .arg = "NAMESPACE", \
        .help = "namespace of the function"                      \
    }
#define CLI_ROW_ENVSUBST(options)                                                                \
    {                                                                                            \
        .name = "envsubst", .type = CLI_BOOL, .at = offsetof(options, envsubst), .dflt = "true", \
        .help = "replace ${NAME} in the stack file by environment variables"                     \
    }
#define CLI_ROW_JSON(options)                                                           \
    {                                                                                   \
        .name = "json", .letter = 'j', .type = CLI_BOOL, .at = offsetof(options, json), \
        .help = "print JSON"                                                            \
    }
#define CLI_ROW_TAG(options)                                                                   \
    {                                                                                          \
        .name = "tag", .type = CLI_STRING, .at = offsetof(options, tag), .dflt = "latest",     \
        .arg = "FORMAT", .choices = cli_tag_formats, .help = "what the image's tag is made of" \
    }
#define CLI_ROW_PARALLEL(options)                                                            \
    {                                                                                        \
        .name = "parallel", .type = CLI_INT, .at = offsetof(options, parallel), .dflt = "1", \
        .arg = "N", .help = "how many functions at a time"                                   \
    }
#define CLI_ROW_QUIET(options, text)                                                      \
    {                                                                                     \
        .name = "quiet", .type = CLI_BOOL, .at = offsetof(options, quiet), .help = (text) \
    }

extern const char *const cli_tag_formats[];

/* Reads the stack files that --yaml names, or the one that lies here, and keeps what --filter and
 * --regex ask for. No file: an empty stack whose file is NULL. */
FAAS_NODISCARD int cli_load_stack(const struct cli *cli, bool envsubst, struct cli_stack *out,
                                  struct faas_error *err);

/* The gateway that these flags, this stack file (may be NULL) and the environment lead to. Heap;
 * NULL when what they say is no URL. */
char *cli_connect_gateway(const struct cli_connect *connect, const struct cli_stack *stack,
                          struct faas_error *err);
/* Says once on stderr when credentials would travel unencrypted. */
void cli_warn_if_exposed(const struct cli_connect *connect, const char *gateway);

#endif
