/* .gitignore files come with other people's projects. The first line is a path, the rest the file:
 * what a last "!" line brings back is not ignored, unless a folder above it is. */
#include "cli/gitignore.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str rest = {.ptr = (const char *)data, .len = size};
    struct cli_gitignore g = {0};
    _cleanup_free_ char *path = NULL;
    bool plain;

    if (size > 512)
        return 0;
    path = faas_str_dup(faas_str_split(&rest, '\n'));
    if (rest.ptr)
        cli_gitignore_parse(&g, rest);
    faas_strv_for_each(&g.patterns, pattern) assert(**pattern && **pattern != '#');
    (void)cli_gitignore_matches(&g, path, true);
    (void)cli_gitignore_matches(&g, path, false);
    plain = *path && !strpbrk(path, "/*?[\\! \t\r\v\f") && *path != '#';
    if (plain) {
        faas_strv_addf(&g.patterns, "!%s", path);
        assert(!cli_gitignore_matches(&g, path, false));
        faas_strv_add(&g.patterns, path);
        assert(cli_gitignore_matches(&g, path, false));
    }
    cli_gitignore_deinit(&g);
    return 0;
}
