#include "cli/plugin.h"

#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* 1 when the folder has a file of that name. */
static int look_up(const char *folder, const char *name, struct faas_error *err)
{
    _cleanup_(close_dir) DIR *dir = opendir(folder);
    struct dirent *entry;

    if (!dir)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "plugins in %s", folder);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, name) == 0)
            return 1;
    return 0;
}

int cli_plugin_run(char **argv, struct faas_error *err)
{
    const char *home = getenv("HOME");
    const char *name = argv[0] ? argv[1] : NULL;
    _cleanup_free_ char *folder = NULL;
    _cleanup_free_ char *path = NULL;
    int found;

    if (!home || !*home || !name || name[0] == '-' || name[0] == '.' || name[0] == '\0')
        return 0;
    folder = faas_asprintf("%s/.openfaas/plugins", home);
    found = look_up(folder, name, err);
    if (found != 1)
        return found;
    path = faas_asprintf("%s/%s", folder, name);
    argv[1] = path;
    execv(path, argv + 1);
    faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot run plugin %s", path);
    return CLI_PLUGIN_NOT_RUN;
}
