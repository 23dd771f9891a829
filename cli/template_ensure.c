#include "cli/template_ensure.h"

#include "cli/embedded.h"
#include "cli/out.h"
#include "cli/template.h"
#include "cli/template_pull.h"
#include "cli/template_store.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

void cli_template_tell_written(const struct faas_strv *names)
{
    _cleanup_buf_ struct faas_buf list = {0};

    faas_strv_for_each(names, name) faas_buf_printf(&list, "%s%s", list.len ? " " : "", *name);
    cli_print("Wrote %zu template(s) : [%s]\n", names->len, list.len ? list.data : "");
}

/* "NAME@REF" is NAME of that REF, unless the repository says of which itself. */
static int pull_one(const char *name, const char *repo, const struct cli_template_origin *from,
                    struct faas_error *err)
{
    const char *at = strchr(name, '@');
    _cleanup_free_ char *only = faas_strndup(name, strcspn(name, "@"));
    _cleanup_free_ char *with_ref =
        at && !strchr(repo, '#') ? faas_asprintf("%s#%s", repo, at + 1) : faas_strdup(repo);
    _cleanup_strv_ struct faas_strv written = {0};
    const struct cli_template_pull pull = {.repo = with_ref,
                                           .only = only,
                                           .as = name,
                                           .overwrite = from->overwrite,
                                           .debug = from->debug};

    if (cli_template_pull(&pull, &written, err) < 0)
        return -1;
    cli_template_tell_written(&written);
    return 0;
}

int cli_template_pull_source(const struct cli_template_source *t,
                             const struct cli_template_origin *from, struct faas_error *err)
{
    cli_print("Pulling template: %s from %s\n", t->name, t->source);
    return pull_one(t->name, t->source, from, err);
}

static const struct cli_template_source *configured(const struct cli_stack *stack, const char *lang)
{
    for (size_t i = 0; stack && i < stack->n_templates; i++)
        if (strcmp(stack->templates[i].name, lang) == 0 && stack->templates[i].source)
            return &stack->templates[i];
    return NULL;
}

static void add_missing(struct faas_strv *into, const struct faas_strv *from)
{
    faas_strv_for_each(from, name) if (!faas_strv_has(into, *name)) faas_strv_add(into, *name);
}

/* Fails with the names of the templates that could have been meant. */
static int not_known(const char *lang, const char *store, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv known = {0};
    _cleanup_strv_ struct faas_strv here = {0};
    _cleanup_buf_ struct faas_buf names = {0};

    cli_embedded_names(&known);
    if (cli_template_list(&here, NULL) == 0)
        add_missing(&known, &here);
    faas_strv_sort(&known);
    faas_strv_for_each(&known, name) faas_buf_printf(&names, "%s%s", names.len ? ", " : "", *name);
    return faas_fail(err, FAAS_ERR_NOT_FOUND,
                     "language template \"%s\" is not supported; there are: %s%s", lang, names.data,
                     store);
}

static int pull_from_store(const char *lang, const struct cli_template_origin *from,
                           struct faas_error *err)
{
    _cleanup_template_store_ struct cli_template_store store = {0};
    _cleanup_free_ char *name = faas_strndup(lang, strcspn(lang, "@"));
    const struct cli_store_template *found;
    struct faas_error why = {0};

    if (cli_template_store_load(&store, NULL, &why) < 0) {
        cli_print_error(why.msg);
        return not_known(lang, ", and those of the store, which cannot be asked", err);
    }
    found = cli_template_store_find(&store, name, NULL);
    if (!found)
        return not_known(lang, ", and those of: faas-cli template store list", err);
    cli_print("Pulling template: %s from store\n", lang);
    return pull_one(lang, found->repo, from, err);
}

static int unpack_ours(const char *lang, const char *dir, struct faas_error *err)
{
    if (cli_embedded_unpack(lang, dir, err) < 0)
        return faas_error_wrap(err, "cannot unpack template %s", lang);
    cli_note("Template %s unpacked to ./%s\n", lang, dir);
    return 0;
}

int cli_template_ensure(const char *lang, const struct cli_template_origin *from,
                        struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("template/%s", lang);
    _cleanup_strv_ struct faas_strv ours = {0};
    const struct cli_template_source *source = configured(from->stack, lang);

    if (cli_template_check_name(lang, err) < 0)
        return -1;
    if (cli_template_exists(lang))
        return 0;
    if (faas_file_exists(dir))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "./%s has no template.yml", dir);
    if (source)
        return cli_template_pull_source(source, from, err);
    cli_embedded_names(&ours);
    if (faas_strv_has(&ours, lang))
        return unpack_ours(lang, dir, err);
    return pull_from_store(lang, from, err);
}
