#include "watchdog/static_list.h"

#include "libfaas/alloc.h"
#include "libfaas/map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void append_html(struct faas_buf *b, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&':
            faas_buf_append_z(b, "&amp;");
            break;
        case '<':
            faas_buf_append_z(b, "&lt;");
            break;
        case '>':
            faas_buf_append_z(b, "&gt;");
            break;
        case '"':
            faas_buf_append_z(b, "&#34;");
            break;
        case '\'':
            faas_buf_append_z(b, "&#39;");
            break;
        default:
            faas_buf_append_c(b, *s);
        }
}

/* Whatever could mean something else in a relative URL, "javascript:" included, is escaped. */
static void append_url(struct faas_buf *b, const char *s)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/";

    for (; *s; s++)
        if (strchr(plain, *s))
            faas_buf_append_c(b, *s);
        else
            faas_buf_printf(b, "%%%02X", (unsigned char)*s);
}

static bool is_folder(int dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static size_t read_names(DIR *dir, size_t max, struct faas_strv *names)
{
    const struct dirent *entry;
    size_t more = 0;

    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->len < max)
            faas_strv_addf(names, "%s%s", entry->d_name, is_folder(dirfd(dir), entry) ? "/" : "");
        else
            more++;
    }
    return more;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int wd_static_list(int fd, size_t max, struct faas_buf *out, struct faas_error *err)
{
    _cleanup_(faas_strv_deinit) struct faas_strv names = {0};
    DIR *dir = fdopendir(fd);
    size_t more;

    if (!dir) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot read the folder");
        close(fd);
        return -1;
    }
    more = read_names(dir, max, &names);
    closedir(dir);
    if (names.len)
        qsort(names.items, names.len, sizeof(*names.items), compare);
    faas_buf_append_z(out, "<pre>\n");
    for (size_t i = 0; i < names.len; i++) {
        faas_buf_append_z(out, "<a href=\"");
        append_url(out, names.items[i]);
        faas_buf_append_z(out, "\">");
        append_html(out, names.items[i]);
        faas_buf_append_z(out, "</a>\n");
    }
    if (more)
        faas_buf_printf(out, "... and %zu more\n", more);
    faas_buf_append_z(out, "</pre>\n");
    return 0;
}
