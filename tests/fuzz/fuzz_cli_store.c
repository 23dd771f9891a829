/* The index of a function store: whatever it says, what is found in it has an image for the
 * platform, is called as it was asked for, and can be asked for by its own name. */
#include "cli/store.h"

#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct cli_store *s, const char *platform)
{
    for (size_t i = 0; i < s->len; i++) {
        const struct cli_store_function *f = &s->items[i];
        const struct cli_store_function *found;

        if (!cli_store_image(f, platform))
            continue;
        found = cli_store_find(s, f->name, platform, NULL);
        if (!found || !cli_store_image(found, platform))
            abort();
        if (strcmp(found->name, f->name) != 0 && strcasecmp(found->title, f->name) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_store_ struct cli_store store = {0};
    _cleanup_strv_ struct faas_strv platforms = {0};
    struct faas_error err = {0};

    if (cli_store_parse(&store, (struct faas_str){.ptr = (const char *)data, .len = size}, &err) <
        0) {
        if (err.code == FAAS_ERR_NONE)
            abort();
        return 0;
    }
    cli_store_platforms(&store, &platforms);
    faas_strv_for_each(&platforms, platform) look_up(&store, *platform);
    return 0;
}
