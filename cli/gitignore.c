#include "cli/gitignore.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <fnmatch.h>

enum { MAX_FILE = 1 << 20 };

void cli_gitignore_parse(struct cli_gitignore *g, struct faas_str text)
{
    struct faas_str rest = text;

    while (rest.ptr) {
        struct faas_str line = faas_str_trim(faas_str_split(&rest, '\n'));

        /* No path has a NUL in it. */
        if (line.len > 0 && line.ptr[0] != '#' && faas_str_find(line, '\0') < 0)
            faas_strv_add_str(&g->patterns, line);
    }
}

int cli_gitignore_load(struct cli_gitignore *g, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};

    if (!faas_file_exists(".gitignore"))
        return 0;
    if (faas_file_read(".gitignore", MAX_FILE, &text, err) < 0)
        return -1;
    cli_gitignore_parse(g, faas_buf_str(&text));
    return 0;
}

void cli_gitignore_deinit(struct cli_gitignore *g)
{
    faas_strv_deinit(&g->patterns);
}

/* "a/ ** /b" matches without a folder between, "** /b" at the top, "a/ **" whatever is inside. */
static bool matches_from_top(const char *pattern, const char *path)
{
    const char *stars = strstr(pattern, "**/");
    _cleanup_free_ char *without = NULL;

    if (!stars && !strstr(pattern, "/**"))
        return fnmatch(pattern, path, FNM_PATHNAME) == 0;
    if (fnmatch(pattern, path, 0) == 0)
        return true;
    if (!stars)
        return false;
    without = faas_asprintf("%.*s%s", (int)(stars - pattern), pattern, stars + 3);
    return matches_from_top(without, path);
}

/* One pattern, without '!', against one path. */
static bool matches_one(const char *pattern, const char *path, bool is_dir)
{
    _cleanup_free_ char *p = faas_strdup(pattern);
    size_t len = strlen(p);
    const char *base = strrchr(path, '/');

    if (len > 1 && p[len - 1] == '/') {
        if (!is_dir)
            return false;
        p[len - 1] = '\0';
    }
    if (p[0] == '/')
        return matches_from_top(p + 1, path);
    if (strchr(p, '/'))
        return matches_from_top(p, path);
    return fnmatch(p, base ? base + 1 : path, 0) == 0;
}

static bool is_ignored(const struct cli_gitignore *g, const char *path, bool is_dir)
{
    bool ignored = false;

    faas_strv_for_each(&g->patterns, pattern)
    {
        bool negated = **pattern == '!';

        if (matches_one(*pattern + negated, path, is_dir))
            ignored = !negated;
    }
    return ignored;
}

bool cli_gitignore_matches(const struct cli_gitignore *g, const char *path, bool is_dir)
{
    for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
        _cleanup_free_ char *folder = faas_strndup(path, (size_t)(slash - path));

        if (*folder && is_ignored(g, folder, true))
            return true;
    }
    return is_ignored(g, path, is_dir);
}
