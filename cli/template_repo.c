#include "cli/template_repo.h"

#include "cli/out.h"
#include "cli/run.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/process.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static const char commit_prefix[] = "sha-";

enum { COMMIT_MIN = 7, COMMIT_MAX = 40 };

static bool is_url(const char *text)
{
    static const char *const schemes[] = {
        "git:", "ssh:", "git+ssh:", "http:", "https:", "file://", "git@"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static bool has(const char *dir, const char *name)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);

    return faas_file_exists(path);
}

/* One with a working tree, or a bare one. */
static bool is_git(const char *dir)
{
    return has(dir, ".git") || (has(dir, "HEAD") && has(dir, "objects"));
}

static int check_commit(const char *ref, struct faas_error *err)
{
    const char *hex = ref + strlen(commit_prefix);
    size_t len = strspn(hex, "0123456789abcdefABCDEF");

    if (hex[len] == '\0' && len >= COMMIT_MIN && len <= COMMIT_MAX)
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "\"%s\": %s is followed by %d to %d hexadecimal digits",
                     ref, commit_prefix, COMMIT_MIN, COMMIT_MAX);
}

static bool names_commit(const char *ref)
{
    return strncmp(ref, commit_prefix, strlen(commit_prefix)) == 0;
}

/* One of the names between the slashes of a branch or tag. */
static bool part_of_ref(struct faas_str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (!isalnum((unsigned char)part.ptr[i]) && !strchr("-._", part.ptr[i]))
            return false;
    return part.len > 0 && part.ptr[0] != '.' && !faas_str_ends(part, FAAS_STR(".")) &&
           !faas_str_ends(part, FAAS_STR(".lock"));
}

/* As git check-ref-format does, and stricter about what could be taken for an option or a path. */
static int check_ref(const char *ref, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(ref);
    bool ok = ref[0] != '-' && !strstr(ref, "..");

    while (ok && rest.ptr)
        ok = part_of_ref(faas_str_split(&rest, '/'));
    if (!ok)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "\"#%s\" cannot be a branch or tag (a commit is written #sha-HEX)", ref);
    return names_commit(ref) ? check_commit(ref, err) : 0;
}

static int not_a_repository(const char *text, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_INVALID,
                     "the repository with templates must be a valid git repo uri or a folder "
                     "here, not \"%s\"",
                     text);
}

static const char *choose(const char *given)
{
    const char *set = getenv("OPENFAAS_TEMPLATE_URL");

    if (given && *given && strcmp(given, CLI_TEMPLATE_REPO_DEFAULT) != 0)
        return given;
    return set && *set ? set : CLI_TEMPLATE_REPO_DEFAULT;
}

/* What may be shown, and written into images. Heap. */
static char *without_credentials(const char *url)
{
    const char *host = strstr(url, "://");
    const char *at = host ? strchr(host, '@') : NULL;

    if (strncmp(url, "http", 4) != 0 || !at || at > host + 3 + strcspn(host + 3, "/"))
        return faas_strdup(url);
    return faas_asprintf("%.*s%s", (int)(host + 3 - url), url, at + 1);
}

int cli_template_repo_parse(struct cli_template_repo *r, const char *text, struct faas_error *err)
{
    _cleanup_free_ char *place = faas_strdup(choose(text));
    char *hash = strchr(place, '#');
    char real[PATH_MAX];

    if (hash) {
        *hash = '\0';
        if (check_ref(hash + 1, err) < 0)
            return -1;
        r->ref = faas_strdup(hash + 1);
    }
    if (is_url(place)) {
        r->shown = without_credentials(place);
        r->url = faas_steal_ptr(&place);
        return 0;
    }
    /* Absolute, so that git takes it for a path whatever it looks like. */
    if (!realpath(place, real))
        return not_a_repository(place, err);
    r->url = faas_strdup(real);
    r->shown = faas_strdup(real);
    r->folder = !is_git(real);
    if (r->folder && r->ref)
        return faas_fail(err, FAAS_ERR_INVALID, "%s is not a git repository, so it has no \"%s\"",
                         place, r->ref);
    return 0;
}

void cli_template_repo_deinit(struct cli_template_repo *r)
{
    free(r->url);
    free(r->shown);
    free(r->ref);
    *r = (struct cli_template_repo){0};
}

static void keep_line(void *arg, struct faas_str line)
{
    faas_buf_printf(arg, "%.*s\n", FAAS_STR_FMT(line));
}

static void show_command(char *const *argv)
{
    const char *debug = getenv("FAAS_DEBUG");

    if (!debug || strcmp(debug, "1") != 0)
        return;
    for (size_t i = 0; argv[i]; i++)
        cli_note("%s%s", i ? " " : "", argv[i]);
    cli_note("\n");
}

/* Its output goes to out, and to the person when it fails. */
static int git(char *const *argv, struct faas_buf *out, struct faas_error *err)
{
    const struct cli_run run = {.argv = argv, .with_stderr = true, .line = keep_line, .arg = out};
    char how[64];
    int status;

    show_command(argv);
    if (cli_run(&run, &status, err) < 0)
        return faas_error_wrap(err, "templates are fetched with git");
    if (status == 0)
        return 0;
    if (out->len)
        cli_note("%s", out->data);
    faas_format_exit(status, how);
    return faas_fail(err, FAAS_ERR_UNAVAILABLE, "git %s: %s",
                     strcmp(argv[1], "-C") == 0 ? argv[3] : argv[1], how);
}

static int clone(const struct cli_template_repo *r, const char *dir, struct faas_error *err)
{
    bool commit = r->ref && names_commit(r->ref);
    _cleanup_buf_ struct faas_buf out = {0};
    char *argv[16] = {"git", "clone", "--config", "core.autocrlf=false"};
    size_t n = 4;

    if (!commit)
        argv[n++] = "--depth=1";
    if (r->ref && !commit) {
        argv[n++] = "-b";
        argv[n++] = r->ref;
    }
    argv[n++] = "--";
    argv[n++] = r->url;
    argv[n++] = (char *)dir;
    if (git(argv, &out, err) < 0)
        return faas_error_wrap(err, "cannot fetch %s", r->shown);
    if (!commit)
        return 0;
    faas_buf_clear(&out);
    return git((char *[]){"git", "-C", (char *)dir, "checkout", r->ref + strlen(commit_prefix),
                          "--", NULL},
               &out, err);
}

/* Only what is looked for: the folder may be a big project. */
static int copy_folder(const char *from, const char *to, struct faas_error *err)
{
    _cleanup_free_ char *source = faas_asprintf("%s/" CLI_TEMPLATE_REPO_DIR, from);
    _cleanup_free_ char *target = faas_asprintf("%s/" CLI_TEMPLATE_REPO_DIR, to);

    return faas_file_exists(source) ? faas_copy_tree(source, target, err) : 0;
}

int cli_template_repo_fetch(const struct cli_template_repo *r, const char *dir, char **sha,
                            struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf out = {0};

    *sha = NULL;
    if (r->folder)
        return copy_folder(r->url, dir, err);
    if (clone(r, dir, err) < 0 ||
        git((char *[]){"git", "-C", (char *)dir, "rev-parse", "HEAD", NULL}, &out, err) < 0)
        return -1;
    *sha = faas_str_dup(faas_str_trim(faas_buf_str(&out)));
    return 0;
}
