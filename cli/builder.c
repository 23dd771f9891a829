#include "cli/builder.h"

#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/process.h"

#include <strings.h>

const struct cli_builder *const cli_builders[] = {
    &cli_bundle_builder, &cli_docker_builder, &cli_podman_builder, &cli_buildah_builder, NULL,
};

const char *const cli_builder_names[] = {"auto", "bundle", "docker", "podman", "buildah", NULL};

enum { ASK_TIMEOUT_MS = 5000 };

static bool is_installed(const struct cli_builder *b)
{
    _cleanup_free_ char *path = faas_find_executable(b->program, getenv("PATH"), NULL);

    return path != NULL;
}

static const struct cli_builder *first_engine(void)
{
    for (const struct cli_builder *const *b = cli_builders; *b; b++)
        if ((*b)->program && is_installed(*b))
            return *b;
    return NULL;
}

static const struct cli_builder *by_name(const char *name, const char *from, struct faas_error *err)
{
    for (const struct cli_builder *const *b = cli_builders; *b; b++) {
        if (strcasecmp((*b)->name, name) != 0)
            continue;
        if (!(*b)->program || is_installed(*b))
            return *b;
        faas_fail(err, FAAS_ERR_NOT_FOUND, "%s asks for %s, which is not in PATH", from,
                  (*b)->program);
        return NULL;
    }
    faas_fail(err, FAAS_ERR_INVALID,
              "%s: there is no builder \"%s\"; there are: bundle, docker, podman, buildah", from,
              name);
    return NULL;
}

/* What the gateway's provider runs functions on ("local"). Heap; NULL when it does not say. */
static char *ask_gateway(const struct cli_client *client, struct faas_error *err)
{
    const struct cli_call call = {
        .method = "GET", .path = "/system/info", .timeout_ms = ASK_TIMEOUT_MS};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    _cleanup_json_ json_t *info = NULL;
    const char *orchestration;

    if (cli_client_call(client, &call, &resp, err) < 0)
        return NULL;
    if (resp.status != 200) {
        faas_fail(err, FAAS_ERR_BAD_GATEWAY, "status code %d%s", resp.status,
                  resp.status == 401 ? ", so run faas-cli login" : "");
        return NULL;
    }
    info = faas_json_parse(faas_buf_str(&resp.body), err);
    orchestration =
        json_string_value(json_object_get(json_object_get(info, "provider"), "orchestration"));
    return orchestration && *orchestration ? faas_strdup(orchestration) : NULL;
}

static const struct cli_builder *choose_unasked(const struct cli_builder *engine,
                                                const char *gateway, const char *why)
{
    const struct cli_builder *chosen = engine ? engine : &cli_bundle_builder;

    cli_note(
        "Building with %s: the gateway at %s did not say what it runs%s%.*s (--builder chooses "
        "another).\n",
        chosen->name, gateway, *why ? ": " : "", (int)strcspn(why, "\n"), why);
    return chosen;
}

static const struct cli_builder *choose(const struct cli_client *client, struct faas_error *err)
{
    const struct cli_builder *engine = first_engine();
    struct faas_error why = {0};
    _cleanup_free_ char *orchestration = ask_gateway(client, &why);

    if (!orchestration)
        return choose_unasked(engine, client->gateway, why.msg);
    if (strcmp(orchestration, "local") == 0)
        return &cli_bundle_builder;
    if (!engine)
        faas_fail(err, FAAS_ERR_NOT_FOUND,
                  "the gateway at %s runs container images (%s), and there is no docker, podman or "
                  "buildah in PATH to build them with",
                  client->gateway, orchestration);
    return engine;
}

const struct cli_builder *cli_builder_choose(const char *wanted, const struct cli_connect *connect,
                                             const struct cli_stack *stack, struct faas_error *err)
{
    _cleanup_client_ struct cli_client client = {0};
    const char *from_env = getenv(CLI_BUILDER_ENV);

    if (wanted && *wanted && strcasecmp(wanted, "auto") != 0)
        return by_name(wanted, "flag --builder", err);
    if (!wanted && from_env && *from_env && strcasecmp(from_env, "auto") != 0)
        return by_name(from_env, CLI_BUILDER_ENV, err);
    if (cli_client_open(&client, connect, stack, err) < 0)
        return NULL;
    return choose(&client, err);
}
