#include "cli/template_store.h"

#include "cli/document.h"
#include "cli/json_text.h"
#include "libfaas/alloc.h"

#include <strings.h>

enum { MAX_INDEX = 4 << 20, TIMEOUT_MS = 5000 };

static int read_item(struct cli_store_template *t, json_t *item, struct faas_error *err)
{
    if (faas_json_expect_object(item, "a template of the store", err) < 0 ||
        faas_json_get_bool(item, "recommended", &t->recommended, err) < 0)
        return -1;
    t->json = item;
    t->name = cli_json_text(item, "template");
    t->platform = cli_json_text(item, "platform");
    t->language = cli_json_text(item, "language");
    t->source = cli_json_text(item, "source");
    t->description = cli_json_text(item, "description");
    t->repo = cli_json_text(item, "repo");
    t->official = cli_json_text(item, "official");
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct cli_store_template *x = a, *y = b;
    int order;

    if (x->recommended != y->recommended)
        return x->recommended ? -1 : 1;
    order = strcmp(x->official, y->official);
    return order ? order : strcasecmp(x->name, y->name);
}

int cli_template_store_parse(struct cli_template_store *s, struct faas_str text,
                             struct faas_error *err)
{
    s->json = faas_json_parse(text, err);
    if (!s->json)
        return -1;
    if (!json_is_array(s->json))
        return faas_fail(err, FAAS_ERR_INVALID, "must be a list of templates");
    s->len = json_array_size(s->json);
    if (s->len == 0)
        return 0;
    s->items = faas_zalloc(s->len * sizeof(*s->items));
    for (size_t i = 0; i < s->len; i++)
        if (read_item(&s->items[i], json_array_get(s->json, i), err) < 0)
            return -1;
    qsort(s->items, s->len, sizeof(*s->items), compare);
    return 0;
}

static const char *choose(const char *given)
{
    const char *set = getenv("OPENFAAS_TEMPLATE_STORE_URL");

    if (given && *given && strcmp(given, CLI_TEMPLATE_STORE_DEFAULT) != 0)
        return given;
    return set && *set ? set : CLI_TEMPLATE_STORE_DEFAULT;
}

int cli_template_store_load(struct cli_template_store *s, const char *url, struct faas_error *err)
{
    const struct cli_document d = {
        .place = choose(url), .max = MAX_INDEX, .timeout_ms = TIMEOUT_MS};
    _cleanup_buf_ struct faas_buf text = {0};

    if (cli_document_read(&d, &text, err) < 0 ||
        cli_template_store_parse(s, faas_buf_str(&text), err) < 0)
        return faas_error_wrap(err, "cannot read the template store %s", d.place);
    return 0;
}

void cli_template_store_deinit(struct cli_template_store *s)
{
    json_decref(s->json);
    free(s->items);
    *s = (struct cli_template_store){0};
}

static bool is_called(const struct cli_store_template *t, const char *name)
{
    const char *slash = strchr(name, '/');

    if (!slash)
        return strcmp(t->name, name) == 0;
    return faas_str_eqz((struct faas_str){.ptr = name, .len = (size_t)(slash - name)}, t->source) &&
           strcmp(t->name, slash + 1) == 0;
}

const struct cli_store_template *cli_template_store_find(const struct cli_template_store *s,
                                                         const char *name, struct faas_error *err)
{
    const struct cli_store_template *found = NULL;

    for (size_t i = 0; i < s->len; i++)
        if (is_called(&s->items[i], name) &&
            (!found ||
             (strcmp(found->official, "true") != 0 && strcmp(s->items[i].official, "true") == 0)))
            found = &s->items[i];
    if (found)
        return found;
    faas_fail(err, FAAS_ERR_NOT_FOUND, "template \"%s\" is not in the store", name);
    return NULL;
}
