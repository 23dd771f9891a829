#include "cli/commands.h"

#include "cli/client.h"
#include "cli/gateway_url.h"
#include "cli/json_stream.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "cli/timefmt.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
    bool json;
    int64_t since_ms;
    char *since_time;
    int64_t lines;
    bool tail;
    char *output;
    char *time_format;
    bool show_name;
    bool show_instance;
};

static const char *const output_formats[] = {"plain", "keyvalue", "json", NULL};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {.name = "tail",
     .letter = 't',
     .type = CLI_BOOL,
     .at = offsetof(struct options, tail),
     .dflt = "true",
     .help = "keep waiting for more"},
    {.name = "lines",
     .type = CLI_INT,
     .at = offsetof(struct options, lines),
     .dflt = "-1",
     .arg = "N",
     .help = "how many of the last lines, -1 for all"},
    {.name = "since",
     .type = CLI_DURATION,
     .at = offsetof(struct options, since_ms),
     .arg = "DURATION",
     .help = "only lines that are at most so old, such as 10m"},
    {.name = "since-time",
     .type = CLI_STRING,
     .at = offsetof(struct options, since_time),
     .arg = "TIME",
     .help = "only lines from this time on (RFC 3339)"},
    {.name = "output",
     .letter = 'o',
     .type = CLI_STRING,
     .at = offsetof(struct options, output),
     .dflt = "plain",
     .arg = "FORMAT",
     .choices = output_formats,
     .help = "what a line looks like"},
    CLI_ROW_JSON(struct options),
    {.name = "time-format",
     .type = CLI_STRING,
     .at = offsetof(struct options, time_format),
     .dflt = "2006-01-02T15:04:05Z07:00",
     .arg = "LAYOUT",
     .help = "how times look: a Go layout, a name such as rfc822, or nothing for no times"},
    {.name = "name",
     .type = CLI_BOOL,
     .at = offsetof(struct options, show_name),
     .help = "show the function's name"},
    {.name = "instance",
     .type = CLI_BOOL,
     .at = offsetof(struct options, show_instance),
     .help = "show which replica it was"},
    {0},
};

struct reader {
    const struct options *o;
    const char *layout; /* NULL: no times */
    int status;
    struct faas_buf refusal; /* the body of an answer that is not 200 */
    struct cli_json_stream stream;
    struct faas_error *err;
};

static void append_time(struct faas_buf *out, const struct reader *r, const char *timestamp)
{
    int64_t ns;

    if (faas_parse_time(timestamp, &ns) == 0)
        cli_time_format(out, ns, r->layout);
    else
        faas_buf_append_z(out, timestamp);
}

static void print_plain(const struct reader *r, const json_t *line)
{
    _cleanup_buf_ struct faas_buf out = {0};
    const char *text = cli_json_text(line, "text");
    size_t len = strlen(text);

    if (r->layout) {
        append_time(&out, r, cli_json_text(line, "timestamp"));
        faas_buf_append_c(&out, ' ');
    }
    if (r->o->show_name)
        faas_buf_printf(&out, "%s ", cli_json_text(line, "name"));
    if (r->o->show_instance)
        faas_buf_printf(&out, "(%s) ", cli_json_text(line, "instance"));
    while (len > 0 && text[len - 1] == '\n')
        len--;
    faas_buf_printf(&out, "%.*s\n", (int)len, text);
    cli_write(faas_buf_str(&out));
}

static void print_keyvalue(const struct reader *r, const json_t *line)
{
    _cleanup_buf_ struct faas_buf out = {0};
    const char *text = cli_json_text(line, "text");
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    if (r->layout) {
        faas_buf_append_z(&out, "timestamp=\"");
        append_time(&out, r, cli_json_text(line, "timestamp"));
        faas_buf_append_z(&out, "\" ");
    }
    if (r->o->show_name)
        faas_buf_printf(&out, "name=\"%s\" ", cli_json_text(line, "name"));
    if (r->o->show_instance)
        faas_buf_printf(&out, "instance=\"%s\" ", cli_json_text(line, "instance"));
    faas_buf_printf(&out, "text=\"%.*s\" \n", (int)len, text);
    cli_write(faas_buf_str(&out));
}

static void print_json(const json_t *line)
{
    _cleanup_buf_ struct faas_buf out = {0};

    faas_json_write(&out, line, 0);
    cli_print("%s\n", out.data);
}

static int take_object(void *arg, struct faas_str text, struct faas_error *err)
{
    const struct reader *r = arg;
    _cleanup_json_ json_t *line = faas_json_parse(text, err);

    if (!line)
        return -1;
    if (r->o->json || strcmp(r->o->output, "json") == 0)
        print_json(line);
    else if (strcmp(r->o->output, "keyvalue") == 0)
        print_keyvalue(r, line);
    else
        print_plain(r, line);
    return 0;
}

static void take_status(void *arg, int status)
{
    struct reader *r = arg;

    r->status = status;
}

static int take_body(void *arg, struct faas_str data)
{
    enum { MAX_REFUSAL = 1 << 20 };
    struct reader *r = arg;

    if (r->status != 200) {
        if (r->refusal.len + data.len <= MAX_REFUSAL)
            faas_buf_append_str(&r->refusal, data);
        return 0;
    }
    if (cli_json_stream_feed(&r->stream, data, r->err) < 0)
        return -1;
    return cli_flush(r->err);
}

static int fill_query(struct faas_map *query, const struct options *o, const char *name,
                      struct faas_error *err)
{
    char text[40];
    int64_t ns = 0;

    faas_map_set(query, "follow", o->tail ? "true" : "false");
    faas_map_set(query, "name", name);
    if (o->namespace_ && *o->namespace_)
        faas_map_set(query, "namespace", o->namespace_);
    if (o->since_time && *o->since_time) {
        if (faas_parse_time(o->since_time, &ns) < 0)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "flag --since-time: \"%s\" is not an RFC 3339 time", o->since_time);
    } else if (o->since_ms > 0) {
        ns = faas_system_clock.realtime_ns(faas_system_clock.self) - o->since_ms * 1000000;
        ns -= ns % 1000000000;
    }
    if (ns != 0) {
        faas_format_time_go(ns, text);
        faas_map_set(query, "since", text);
    }
    if (o->lines != 0) {
        snprintf(text, sizeof(text), "%lld", (long long)o->lines);
        faas_map_set(query, "tail", text);
    }
    return 0;
}

static int follow(const struct cli_client *c, const struct faas_map *query, struct reader *r,
                  struct faas_error *err)
{
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    const struct cli_call call = {.method = "GET",
                                  .path = "/system/logs",
                                  .query = query,
                                  .timeout_ms = CLI_NO_TIMEOUT,
                                  .sink = take_body,
                                  .on_status = take_status,
                                  .arg = r};
    struct faas_error why = {0};

    r->err = &why;
    if (cli_client_call(c, &call, &resp, err) < 0)
        return why.code != FAAS_ERR_NONE ? faas_fail(err, why.code, "%s", why.msg) : -1;
    if (resp.status == 200)
        return 0;
    faas_buf_append_str(&resp.body, faas_buf_str(&r->refusal));
    return cli_client_refuse(c, &resp, err);
}

/* An explicit --gateway is honoured even when it names the default. */
static char *choose_gateway(const struct cli *cli, const struct options *o, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack stack = {0};
    struct faas_error why = {0};

    if (o->connect.gateway && *o->connect.gateway) {
        _cleanup_free_ char *url = cli_gateway_normalise(o->connect.gateway);

        return cli_gateway_check(url, err) == 0 ? faas_steal_ptr(&url) : NULL;
    }
    if (cli_load_stack(cli, true, &stack, &why) < 0 && cli->yaml) {
        faas_fail(err, why.code, "%s", why.msg);
        return NULL;
    }
    return cli_connect_gateway(&o->connect, &stack, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_free_ char *gateway = choose_gateway(cli, o, err);
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_map_ struct faas_map query = {0};
    struct reader r = {.o = o, .stream = {.object = take_object}};
    int rc;

    if (!gateway || fill_query(&query, o, cli->args.items[0], err) < 0 ||
        cli_client_open_url(&client, &o->connect, gateway, err) < 0)
        return -1;
    if (!o->json)
        cli_warn_if_exposed(&o->connect, gateway);
    r.layout = *o->time_format ? cli_time_layout(o->time_format) : NULL;
    r.stream.arg = &r;
    rc = follow(&client, &query, &r, err);
    cli_json_stream_deinit(&r.stream);
    faas_buf_deinit(&r.refusal);
    return rc;
}

const struct cli_command cli_cmd_logs = {
    .name = "logs",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show a function's logs",
    .description = "Prints what a function wrote, and goes on with what it writes until "
                   "interrupted, unless --tail=false.",
    .example = "faas-cli logs hello-python --tail=false --lines 20\n"
               "faas-cli logs hello-python --since 10m --instance",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
