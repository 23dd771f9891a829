#include "cli/store.h"

#include "cli/document.h"
#include "cli/json_text.h"
#include "libfaas/alloc.h"

#include <strings.h>

enum { MAX_INDEX = 4 << 20, TIMEOUT_MS = 60 * 1000 };

const struct cli_flag cli_store_flags[] = {
    {.name = "url",
     .letter = 'u',
     .type = CLI_STRING,
     .at = offsetof(struct cli_store_options, url),
     .arg = "URL",
     .shown_default = "$OPENFAAS_STORE or OpenFaaS's own",
     .help = "the store's index"},
    {.name = "platform",
     .letter = 'p',
     .type = CLI_STRING,
     .at = offsetof(struct cli_store_options, platform),
     .dflt = CLI_STORE_PLATFORM,
     .arg = "PLATFORM",
     .help = "only functions with an image for this platform"},
    {0},
};

static int read_item(struct cli_store_function *f, json_t *item, struct faas_error *err)
{
    if (faas_json_expect_object(item, "a function of the store", err) < 0 ||
        faas_json_get_bool(item, "readOnlyRootFilesystem", &f->read_only, err) < 0)
        return -1;
    f->json = item;
    f->name = cli_json_text(item, "name");
    f->title = cli_json_text(item, "title");
    f->author = cli_json_text(item, "author");
    f->description = cli_json_text(item, "description");
    f->fprocess = cli_json_text(item, "fprocess");
    f->repo_url = cli_json_text(item, "repo_url");
    return 0;
}

int cli_store_parse(struct cli_store *s, struct faas_str text, struct faas_error *err)
{
    const json_t *list;

    s->json = faas_json_parse(text, err);
    if (!s->json)
        return -1;
    list = faas_json_get(s->json, "functions");
    if (!json_is_array(list))
        return faas_fail(err, FAAS_ERR_INVALID, "it has no list of functions");
    s->len = json_array_size(list);
    if (s->len == 0)
        return 0;
    s->items = faas_zalloc(s->len * sizeof(*s->items));
    for (size_t i = 0; i < s->len; i++)
        if (read_item(&s->items[i], json_array_get(list, i), err) < 0)
            return -1;
    return 0;
}

static const char *choose(const char *given)
{
    const char *set = getenv("OPENFAAS_STORE");

    if (given && *given)
        return given;
    return set && *set ? set : CLI_STORE_DEFAULT;
}

int cli_store_load(struct cli_store *s, const char *url, struct faas_error *err)
{
    const struct cli_document d = {
        .place = choose(url), .max = MAX_INDEX, .timeout_ms = TIMEOUT_MS};
    _cleanup_buf_ struct faas_buf text = {0};

    if (cli_document_read(&d, &text, err) < 0 || cli_store_parse(s, faas_buf_str(&text), err) < 0)
        return faas_error_wrap(err, "cannot read the function store %s", d.place);
    return 0;
}

void cli_store_deinit(struct cli_store *s)
{
    json_decref(s->json);
    free(s->items);
    *s = (struct cli_store){0};
}

const char *cli_store_image(const struct cli_store_function *f, const char *platform)
{
    json_t *images = faas_json_get(f->json, "images");
    const char *key;
    json_t *value;

    json_object_foreach(images, key, value)
    {
        const char *image = json_string_value(value);

        if (strcasecmp(key, platform) == 0 && image && *image)
            return image;
    }
    return NULL;
}

const struct cli_store_function *cli_store_find(const struct cli_store *s, const char *name,
                                                const char *platform, struct faas_error *err)
{
    const struct cli_store_function *titled = NULL;

    for (size_t i = 0; i < s->len; i++) {
        const struct cli_store_function *f = &s->items[i];

        if (!cli_store_image(f, platform))
            continue;
        if (strcmp(f->name, name) == 0)
            return f;
        if (!titled && strcasecmp(f->title, name) == 0)
            titled = f;
    }
    if (!titled)
        faas_fail(
            err, FAAS_ERR_NOT_FOUND,
            "function \"%s\" is not in the store for the platform %s; see faas-cli store list",
            name, platform);
    return titled;
}

void cli_store_platforms(const struct cli_store *s, struct faas_strv *out)
{
    for (size_t i = 0; i < s->len; i++) {
        json_t *images = faas_json_get(s->items[i].json, "images");
        const char *key;
        json_t *value;

        json_object_foreach(images, key, value) if (!faas_strv_has(out, key))
            faas_strv_add(out, key);
    }
    faas_strv_sort(out);
}
