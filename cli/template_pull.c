#include "cli/template_pull.h"

#include "cli/out.h"
#include "cli/template.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"
#include "libfaas/file.h"
#include "libfaas/json.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

/* A pull under way. */
struct pull {
    const struct cli_template_pull *what;
    struct cli_template_repo repo;
    char *dir; /* the clone */
    char *sha;
    struct faas_strv *written;
    struct faas_strv kept; /* were here and may not be overwritten */
};

/* The names in a folder, those that begin with a dot left out, sorted. */
static int list_folder(const char *path, struct faas_strv *out, struct faas_error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "%s", path);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            faas_strv_add(out, entry->d_name);
    closedir(dir);
    faas_strv_sort(out);
    return 0;
}

/* Copies follow links, and what they find ends up in images: a link of a stranger's repository must
 * not pick files of this machine. */
static int check_links(const char *root, const char *path, struct faas_error *err)
{
    char real[PATH_MAX];
    struct dirent *entry;
    struct stat st;
    DIR *dir;
    int rc = 0;

    if (lstat(path, &st) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", path);
    if (S_ISLNK(st.st_mode)) {
        size_t len = strlen(root);

        if (realpath(path, real) && strncmp(real, root, len) == 0 && real[len] == '/')
            return 0;
        return faas_fail(err, FAAS_ERR_INVALID, "%s is a link out of the repository",
                         path + strlen(root) + 1);
    }
    if (!S_ISDIR(st.st_mode))
        return 0;
    dir = opendir(path);
    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", path);
    while (rc == 0 && (entry = readdir(dir))) {
        _cleanup_free_ char *below = faas_asprintf("%s/%s", path, entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = check_links(root, below, err);
    }
    closedir(dir);
    return rc;
}

static int write_meta(const struct pull *p, const char *target, struct faas_error *err)
{
    _cleanup_free_ char *file = faas_asprintf("%s/meta.json", target);
    _cleanup_json_ json_t *meta = json_object();
    _cleanup_buf_ struct faas_buf text = {0};
    char now[40];

    faas_format_time_go(faas_system_clock.realtime_ns(faas_system_clock.self), now);
    json_object_set_new(meta, "repository", faas_json_string(faas_str_from(p->repo.shown)));
    if (p->repo.ref)
        json_object_set_new(meta, "ref_name", json_string(p->repo.ref));
    if (p->sha)
        json_object_set_new(meta, "sha", json_string(p->sha));
    json_object_set_new(meta, "written_at", json_string(now));
    faas_json_write(&text, meta, 2);
    faas_buf_append_c(&text, '\n');
    return faas_file_replace(file, faas_buf_str(&text), 0644, err);
}

/* A branch's name may be several folders deep. */
static int make_parent(const char *target, struct faas_error *err)
{
    _cleanup_free_ char *parent = faas_strndup(target, (size_t)(strrchr(target, '/') - target));

    return faas_mkdirs(parent, 0777, err);
}

/* A new one appears whole or not at all. */
static int put(const struct pull *p, const char *source, const char *target, struct faas_error *err)
{
    _cleanup_free_ char *half = NULL;
    int rc;

    if (faas_file_exists(target))
        return faas_copy_tree(source, target, err) < 0 ? -1 : write_meta(p, target, err);
    if (make_parent(target, err) < 0)
        return -1;
    half = faas_asprintf("%s.pulling.%d", target, (int)getpid());
    rc = faas_copy_tree(source, half, err);
    if (rc == 0)
        rc = write_meta(p, half, err);
    if (rc == 0 && rename(half, target) < 0)
        rc = faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", target);
    if (rc < 0)
        (void)!faas_remove_tree(half, NULL);
    return rc;
}

static int take(struct pull *p, const char *name, const char *as, struct faas_error *err)
{
    _cleanup_free_ char *source = faas_asprintf("%s/" CLI_TEMPLATE_REPO_DIR "/%s", p->dir, name);
    _cleanup_free_ char *target = faas_asprintf("template/%s", as);

    if (cli_template_check_name(as, err) < 0)
        return -1;
    if (!p->what->overwrite && faas_file_exists(target)) {
        faas_strv_add(&p->kept, as);
        return 0;
    }
    if (check_links(p->dir, source, err) < 0 || put(p, source, target, err) < 0)
        return -1;
    faas_strv_add(p->written, as);
    return 0;
}

static bool is_folder(const char *parent, const char *name)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", parent, name);
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int take_one(struct pull *p, const char *dir, struct faas_error *err)
{
    const char *name = p->what->only;

    if (cli_template_check_name(name, err) < 0)
        return -1;
    if (!is_folder(dir, name))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "%s has no template %s%s%s", p->repo.shown, name,
                         p->repo.ref ? " in " : "", p->repo.ref ? p->repo.ref : "");
    return take(p, name, p->what->as ? p->what->as : name, err);
}

static int take_all(struct pull *p, const char *dir, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv names = {0};

    if (list_folder(dir, &names, err) < 0)
        return -1;
    faas_strv_for_each(&names, name)
    {
        _cleanup_free_ char *as =
            p->repo.ref ? faas_asprintf("%s@%s", *name, p->repo.ref) : faas_strdup(*name);

        if (is_folder(dir, *name) && take(p, *name, as, err) < 0)
            return -1;
    }
    return 0;
}

static int tell_kept(const struct pull *p, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf names = {0};

    if (p->kept.len == 0)
        return 0;
    faas_strv_for_each(&p->kept, name) faas_buf_printf(&names, "%s%s", names.len ? " " : "", *name);
    return faas_fail(err, FAAS_ERR_CONFLICT,
                     "these templates are in ./template already and --overwrite is false: [%s]",
                     names.data);
}

static int pull(struct pull *p, struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/" CLI_TEMPLATE_REPO_DIR, p->dir);

    if (cli_template_repo_fetch(&p->repo, p->dir, &p->sha, err) < 0)
        return -1;
    if (!is_folder(p->dir, CLI_TEMPLATE_REPO_DIR))
        return faas_fail(err, FAAS_ERR_NOT_FOUND,
                         "%s has no folder " CLI_TEMPLATE_REPO_DIR ", where templates are",
                         p->repo.shown);
    if (p->what->only ? take_one(p, dir, err) < 0 : take_all(p, dir, err) < 0)
        return -1;
    return tell_kept(p, err);
}

/* Heap. Its real name, since links are compared with it. */
static char *make_clone_dir(struct faas_error *err)
{
    const char *base = getenv("TMPDIR");
    _cleanup_free_ char *dir =
        faas_asprintf("%s/openfaas-templates-XXXXXX", base && *base ? base : "/tmp");
    char real[PATH_MAX];

    if (!mkdtemp(dir) || !realpath(dir, real)) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", dir);
        return NULL;
    }
    return faas_strdup(real);
}

static int pull_by_clone(struct pull *p, struct faas_error *err)
{
    int rc;

    p->dir = make_clone_dir(err);
    if (!p->dir)
        return -1;
    cli_note("Fetching templates from %s%s%s%s\n", p->repo.shown, p->repo.ref ? " [" : "",
             p->repo.ref ? p->repo.ref : "", p->repo.ref ? "]" : "");
    rc = pull(p, err);
    if (p->what->debug)
        cli_note("The clone is left in %s\n", p->dir);
    else
        (void)!faas_remove_tree(p->dir, NULL);
    return rc;
}

/* Ctrl-C ends git, and us only when no clone and no half of a template is left behind. */
static int pull_to_the_end(struct pull *p, struct faas_error *err)
{
    sigset_t interrupt, before;
    int rc;

    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    rc = pull_by_clone(p, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int cli_template_pull(const struct cli_template_pull *what, struct faas_strv *written,
                      struct faas_error *err)
{
    struct pull p = {.what = what, .written = written};
    int rc = cli_template_repo_parse(&p.repo, what->repo, err);

    if (rc == 0)
        rc = pull_to_the_end(&p, err);
    cli_template_repo_deinit(&p.repo);
    faas_strv_deinit(&p.kept);
    free(p.dir);
    free(p.sha);
    return rc;
}
