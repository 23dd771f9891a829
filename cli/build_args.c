#include "cli/build.h"

static const char packages_arg[] = "ADDITIONAL_PACKAGE";

/* Adds the words of text that are not there yet. */
static void add_words(struct faas_strv *into, const char *text)
{
    struct faas_str rest = faas_str_from(text);

    while (rest.ptr) {
        struct faas_str word = faas_str_split(&rest, ' ');
        _cleanup_free_ char *z = faas_str_dup(word);

        if (word.len > 0 && !faas_strv_has(into, z))
            faas_strv_add(into, z);
    }
}

static int add_option(struct faas_strv *packages, const struct cli_template *t, const char *name,
                      struct faas_error *err)
{
    for (size_t i = 0; t && i < t->n_build_options; i++) {
        if (strcmp(t->build_options[i].name, name) != 0)
            continue;
        faas_strv_for_each(&t->build_options[i].packages, package) add_words(packages, *package);
        return 0;
    }
    return faas_fail(err, FAAS_ERR_INVALID, "the template has no build option \"%s\"", name);
}

static void set_packages(struct faas_map *out, struct faas_strv *packages)
{
    _cleanup_buf_ struct faas_buf joined = {0};

    faas_strv_sort(packages);
    faas_strv_for_each(packages, package)
        faas_buf_printf(&joined, "%s%s", joined.len ? " " : "", *package);
    faas_map_set(out, packages_arg, joined.data ? joined.data : "");
}

int cli_build_args(const struct cli_build_options *o, const struct cli_function *fn,
                   const struct cli_template *t, struct faas_map *out, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv packages = {0};
    const char *in_stack = faas_map_get(&fn->build_args, packages_arg);
    struct faas_error why = {0};

    faas_map_copy(out, &fn->build_args);
    if (in_stack)
        add_words(&packages, in_stack);
    faas_strv_for_each(&o->build_args, item)
    {
        struct faas_str key, value;
        _cleanup_free_ char *words = NULL;

        if (cli_parse_pair(*item, &key, &value, &why) < 0)
            return faas_fail(err, FAAS_ERR_INVALID, "flag --build-arg: \"%s\": %s", *item, why.msg);
        key = faas_str_trim(key);
        value = faas_str_trim(value);
        words = faas_str_dup(value);
        if (faas_str_eqz(key, packages_arg))
            add_words(&packages, words);
        else
            faas_map_set_str(out, key, value);
    }
    faas_strv_for_each(&fn->build_options,
                       name) if (add_option(&packages, t, *name, err) < 0) return -1;
    faas_strv_for_each(&o->build_option_names,
                       name) if (add_option(&packages, t, *name, err) < 0) return -1;
    set_packages(out, &packages);
    return 0;
}
