#include "providers/local/trash.h"

#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "providers/local/disk.h"

#include <errno.h>
#include <stdio.h>

int local_trash_init(const char *state_dir, struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/trash", state_dir);

    return local_mkdir(dir, 0700, err);
}

bool local_trash_move(const char *state_dir, const char *path)
{
    _cleanup_free_ char *to = NULL;
    char id[37];

    faas_uuid(id);
    to = faas_asprintf("%s/trash/%s", state_dir, id);
    return rename(path, to) == 0 || errno == ENOENT;
}

static int empty_one(void *arg, const char *name)
{
    _cleanup_free_ char *path = faas_asprintf("%s/trash/%s", (const char *)arg, name);

    if (faas_remove_tree(path, NULL) < 0)
        return 0; /* it is tried again at the next occasion */
    return 0;
}

void local_trash_empty(const char *state_dir)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/trash", state_dir);

    (void)local_each_name(dir, empty_one, (void *)(uintptr_t)state_dir, NULL);
}
