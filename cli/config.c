#include "cli/config.h"

#include "cli/save.h"
#include "cli/yaml_read.h"
#include "libfaas/alloc.h"
#include "libfaas/arena.h"
#include "libfaas/base64.h"
#include "libfaas/file.h"

enum { MAX_FILE = 1 << 20 };

/* What one entry of the file says, before it is copied out of the document. */
struct entry {
    const char *gateway;
    const char *auth;
    const char *token;
};

struct option {
    const char *name;
    const char *value;
};

static int read_options(struct faas_map *into, const struct faas_yaml *list,
                        const struct cli_yaml_at *at, struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {
        {.key = "name", .type = CLI_YAML_TEXT, .at = offsetof(struct option, name)},
        {.key = "value", .type = CLI_YAML_TEXT, .at = offsetof(struct option, value)},
        {0},
    };

    for (size_t i = 0; list && i < list->n_items; i++) {
        struct option option = {0};

        if (list->items[i]->kind != FAAS_YAML_MAP)
            return cli_yaml_fail(at, list->items[i]->line, "options", "every item must be a map",
                                 err);
        if (cli_yaml_read(list->items[i], at, fields, &option, err) < 0)
            return -1;
        if (option.name)
            faas_map_set(into, option.name, option.value ? option.value : "");
    }
    return 0;
}

static struct cli_auth *add(struct cli_config *c, const char *gateway)
{
    struct cli_auth *auth;

    c->items = faas_reallocarray(c->items, c->len + 1, sizeof(*c->items));
    auth = &c->items[c->len++];
    *auth = (struct cli_auth){.gateway = faas_strdup(gateway)};
    return auth;
}

static int read_entry(struct cli_config *c, const struct faas_yaml *map, const char *file,
                      struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {
        {.key = "gateway", .type = CLI_YAML_TEXT, .at = offsetof(struct entry, gateway)},
        {.key = "auth", .type = CLI_YAML_TEXT, .at = offsetof(struct entry, auth)},
        {.key = "token", .type = CLI_YAML_TEXT, .at = offsetof(struct entry, token)},
        {0},
    };
    const struct cli_yaml_at at = {.file = file, .path = "auths"};
    const struct faas_yaml *options;
    struct entry e = {0};
    struct cli_auth *auth;

    if (map->kind != FAAS_YAML_MAP)
        return cli_yaml_fail(&at, map->line, "gateway", "every item must be a map", err);
    if (cli_yaml_read(map, &at, fields, &e, err) < 0 ||
        cli_yaml_member(map, &at, "options", FAAS_YAML_LIST, &options, err) < 0)
        return -1;
    auth = add(c, e.gateway ? e.gateway : "");
    auth->kind = faas_strdup(e.auth ? e.auth : "");
    auth->token = faas_strdup(e.token ? e.token : "");
    return read_options(&auth->options, options, &at, err);
}

int cli_config_parse(struct cli_config *c, struct faas_str text, const char *file,
                     struct faas_error *err)
{
    const struct cli_yaml_at top = {.file = file, .path = ""};
    struct faas_arena arena = {0};
    const struct faas_yaml *doc = faas_yaml_parse(&arena, text, file, err);
    const struct faas_yaml *auths = NULL;
    int rc = doc ? 0 : -1;

    if (doc && doc->kind != FAAS_YAML_MAP)
        rc = faas_fail(err, FAAS_ERR_INVALID, "%s:%d: must be a map", file, doc->line);
    if (rc == 0)
        rc = cli_yaml_member(doc, &top, "auths", FAAS_YAML_LIST, &auths, err);
    for (size_t i = 0; rc == 0 && auths && i < auths->n_items; i++)
        rc = read_entry(c, auths->items[i], file, err);
    faas_arena_deinit(&arena);
    return rc;
}

static void write_pair(struct faas_buf *out, const char *before, const char *value)
{
    faas_buf_append_z(out, before);
    faas_yaml_scalar(out, value);
    faas_buf_append_c(out, '\n');
}

void cli_config_write(struct faas_buf *out, const struct cli_config *c)
{
    faas_buf_append_z(out, c->len ? "auths:\n" : "auths: []\n");
    for (size_t i = 0; i < c->len; i++) {
        const struct cli_auth *auth = &c->items[i];

        write_pair(out, "  - gateway: ", auth->gateway);
        write_pair(out, "    auth: ", auth->kind);
        write_pair(out, "    token: ", auth->token);
        if (auth->options.len)
            faas_buf_append_z(out, "    options:\n");
        faas_map_for_each (&auth->options, option) {
            write_pair(out, "      - name: ", option->key);
            write_pair(out, "        value: ", option->value);
        }
    }
}

bool cli_in_ci(void)
{
    const char *ci = getenv("CI");

    return ci && (strcmp(ci, "true") == 0 || strcmp(ci, "1") == 0);
}

char *cli_config_path(struct faas_error *err)
{
    const char *dir = getenv("OPENFAAS_CONFIG");
    const char *home = getenv("HOME");

    if (!(dir && *dir))
        dir = cli_in_ci() ? ".openfaas" : "~/.openfaas";
    if (dir[0] != '~' || (dir[1] != '/' && dir[1] != '\0'))
        return faas_asprintf("%s/config.yml", dir);
    if (!(home && *home)) {
        faas_fail(err, FAAS_ERR_NOT_FOUND,
                  "HOME is not set, so there is no place for credentials; set OPENFAAS_CONFIG");
        return NULL;
    }
    return faas_asprintf("%s%s/config.yml", home, dir + 1);
}

int cli_config_load(struct cli_config *c, struct faas_error *err)
{
    _cleanup_free_ char *path = cli_config_path(err);
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error why = {0};

    if (!path)
        return -1;
    if (faas_file_read(path, MAX_FILE, &text, &why) < 0) {
        if (why.code == FAAS_ERR_NOT_FOUND)
            return 0;
        return faas_fail(err, why.code, "%s", why.msg);
    }
    return cli_config_parse(c, faas_buf_str(&text), path, err);
}

int cli_config_save(const struct cli_config *c, struct faas_error *err)
{
    _cleanup_free_ char *path = cli_config_path(err);
    _cleanup_free_ char *dir = NULL;
    _cleanup_buf_ struct faas_buf text = {0};

    if (!path)
        return -1;
    dir = faas_strndup(path, (size_t)(strrchr(path, '/') - path));
    if (faas_mkdirs(dir, cli_in_ci() ? 0744 : 0700, err) < 0)
        return -1;
    cli_config_write(&text, c);
    return cli_save(path, faas_buf_str(&text), 0600, err);
}

static struct cli_auth *find(const struct cli_config *c, const char *gateway)
{
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->items[i].gateway, gateway) == 0)
            return &c->items[i];
    return NULL;
}

const struct cli_auth *cli_config_find(const struct cli_config *c, const char *gateway)
{
    return find(c, gateway);
}

int cli_auth_check(const struct cli_auth *auth, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf pair = {0};

    if (strcmp(auth->kind, "basic") != 0)
        return 0;
    if (faas_base64_decode(&pair, faas_str_from(auth->token), NULL) == 0 &&
        faas_str_find(faas_buf_str(&pair), ':') >= 0)
        return 0;
    return faas_fail(
        err, FAAS_ERR_INVALID,
        "invalid auth config file: the token of %s is not user:password in base64; run "
        "\"faas-cli login --gateway %s\" again",
        auth->gateway, auth->gateway);
}

void cli_config_set(struct cli_config *c, const char *gateway, const char *kind, const char *token)
{
    struct cli_auth *auth = find(c, gateway);

    if (!auth)
        auth = add(c, gateway);
    free(auth->kind);
    free(auth->token);
    auth->kind = faas_strdup(kind);
    auth->token = faas_strdup(token);
}

static void auth_deinit(struct cli_auth *auth)
{
    free(auth->gateway);
    free(auth->kind);
    free(auth->token);
    faas_map_deinit(&auth->options);
}

bool cli_config_remove(struct cli_config *c, const char *gateway)
{
    struct cli_auth *auth = find(c, gateway);
    size_t at;

    if (!auth)
        return false;
    at = (size_t)(auth - c->items);
    auth_deinit(auth);
    memmove(auth, auth + 1, (c->len - at - 1) * sizeof(*auth));
    c->len--;
    return true;
}

void cli_config_deinit(struct cli_config *c)
{
    for (size_t i = 0; i < c->len; i++)
        auth_deinit(&c->items[i]);
    free(c->items);
    *c = (struct cli_config){0};
}
