#include "cli/context.h"

#include "cli/config.h"
#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/api_types.h"
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

char *cli_context_dir(const char *name)
{
    return faas_asprintf("build/%s", name);
}

static bool show_files(void)
{
    const char *on = getenv("debug");

    return on && (strcmp(on, "1") == 0 || strcmp(on, "true") == 0);
}

static int copy(const char *from, const char *to, struct faas_error *err)
{
    if (show_files())
        cli_note("%s -> %s\n", from, to);
    return faas_copy_tree(from, to, err);
}

static bool never_copied(const char *name)
{
    static const char *const names[] = {".", "..", "build", "template"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Each entry of the handler's folder, so that building "." does not copy builds and templates. */
static int copy_handler(const char *handler, const char *to, struct faas_error *err)
{
    DIR *dir = opendir(handler);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "handler %s", handler);
    while (rc == 0 && (entry = readdir(dir))) {
        _cleanup_free_ char *source = faas_asprintf("%s/%s", handler, entry->d_name);
        _cleanup_free_ char *target = faas_asprintf("%s/%s", to, entry->d_name);

        if (!never_copied(entry->d_name))
            rc = copy(source, target, err);
    }
    closedir(dir);
    return rc;
}

static bool climbs(const char *path)
{
    struct faas_str rest = faas_str_from(path);

    while (rest.ptr)
        if (faas_str_eqz(faas_str_split(&rest, '/'), ".."))
            return true;
    return false;
}

/* Fails unless path is something below the working directory; *relative is how to get there. */
static int check_extra(const char *path, const char **relative, struct faas_error *err)
{
    char here[PATH_MAX], real[PATH_MAX];
    size_t len;

    if (!realpath(".", here))
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "working directory");
    if (!realpath(path, real))
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "copy %s", path);
    len = strlen(here);
    *relative = path;
    if (strncmp(path, here, len) == 0 && path[len] == '/')
        *relative = path + len + 1;
    if (strncmp(real, here, len) != 0 || real[len] != '/' || climbs(*relative) || **relative == '/')
        return faas_fail(err, FAAS_ERR_INVALID, "copy %s: it must lie inside of %s", path, here);
    return 0;
}

static int copy_extra(const char *path, const char *to, struct faas_error *err)
{
    _cleanup_free_ char *target = NULL;
    _cleanup_free_ char *parent = NULL;
    const char *relative;

    if (check_extra(path, &relative, err) < 0)
        return -1;
    target = faas_asprintf("%s/%s", to, relative);
    while (faas_str_ends(faas_str_from(target), FAAS_STR("/")))
        target[strlen(target) - 1] = '\0';
    parent = faas_strndup(target, (size_t)(strrchr(target, '/') - target));
    if (faas_mkdirs(parent, 0777, err) < 0)
        return -1;
    return copy(path, target, err);
}

int cli_context_assemble(const struct cli_context *c, struct faas_error *err)
{
    _cleanup_free_ char *dir = NULL;
    _cleanup_free_ char *handler_to = NULL;

    /* The name becomes a path that is removed first. */
    if (faas_validate_name("the name of a function to build", faas_str_from(c->name), err) < 0)
        return -1;
    dir = cli_context_dir(c->name);
    handler_to =
        c->template_dir ? faas_asprintf("%s/%s", dir, c->handler_folder) : faas_strdup(dir);
    if (!faas_file_exists(c->handler))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "there is no handler folder %s", c->handler);
    if (faas_remove_tree(dir, err) < 0 ||
        faas_mkdirs(handler_to, cli_in_ci() ? 0777 : 0700, err) < 0)
        return -1;
    if (c->template_dir && copy(c->template_dir, dir, err) < 0)
        return -1;
    if (copy_handler(c->handler, handler_to, err) < 0)
        return -1;
    faas_strv_for_each(c->copy, path) if (copy_extra(*path, handler_to, err) < 0) return -1;
    return 0;
}
