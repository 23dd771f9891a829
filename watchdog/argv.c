#include "watchdog/argv.h"

#include <sys/stat.h>

void wd_split_command(const char *fprocess, struct faas_strv *argv)
{
    struct faas_str rest = faas_str_from(fprocess);

    while (rest.ptr)
        faas_strv_add_str(argv, faas_str_split(&rest, ' '));
}

void wd_program_init(struct wd_program *p, const char *name, const char *path_env)
{
    struct faas_str dirs = faas_str_from(path_env);

    *p = (struct wd_program){.name = name, .searched = *name && !strchr(name, '/')};
    if (!p->searched) {
        faas_strv_add(&p->candidates, name);
        return;
    }
    while (dirs.ptr) {
        struct faas_str dir = faas_str_split(&dirs, ':');

        if (dir.len == 0)
            dir = FAAS_STR(".");
        faas_strv_addf(&p->candidates, "%.*s/%s", FAAS_STR_FMT(dir), name);
    }
}

void wd_program_deinit(struct wd_program *p)
{
    faas_strv_deinit(&p->candidates);
}

/* By the mode bits: whether this user may execute it is for exec to say. */
static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

const char *wd_program_find(const struct wd_program *p, struct faas_error *err)
{
    if (!*p->name) {
        faas_fail(err, FAAS_ERR_NOT_FOUND, "exec: no command");
        return NULL;
    }
    if (!p->searched)
        return p->name;
    faas_strv_for_each(&p->candidates, path)
    {
        if (is_program(*path))
            return *path;
    }
    faas_fail(err, FAAS_ERR_NOT_FOUND, "exec: \"%.180s\": executable file not found in $PATH",
              p->name);
    return NULL;
}
