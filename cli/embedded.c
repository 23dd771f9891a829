#include "cli/embedded.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/tar.h"

#include <errno.h>
#include <stdio.h>

/* Put there by the Makefile: a tar of templates/ as it is in the repository. */
extern const char _binary_templates_tar_start[];
extern const char _binary_templates_tar_end[];

enum { BLOCK = 512, NAME_LEN = 100, SIZE_AT = 124, TYPE_AT = 156 };

static struct faas_str archive(void)
{
    return (struct faas_str){.ptr = _binary_templates_tar_start,
                             .len =
                                 (size_t)(_binary_templates_tar_end - _binary_templates_tar_start)};
}

/* "templates/NAME/" -> NAME; everything else -> empty. */
static struct faas_str template_name(struct faas_str entry)
{
    struct faas_str prefix = FAAS_STR("templates/");
    struct faas_str name = {0};

    if (!faas_str_starts(entry, prefix) || !faas_str_ends(entry, FAAS_STR("/")))
        return name;
    name = (struct faas_str){.ptr = entry.ptr + prefix.len, .len = entry.len - prefix.len};
    if (name.len > 0)
        name.len--;
    return faas_str_find(name, '/') < 0 ? name : (struct faas_str){0};
}

/* Walks the headers of our own archive; its numbers can be trusted. */
void cli_embedded_names(struct faas_strv *out)
{
    struct faas_str tar = archive();

    for (size_t at = 0; at + BLOCK <= tar.len && tar.ptr[at];) {
        const char *header = tar.ptr + at;
        size_t size = strtoul(header + SIZE_AT, NULL, 8);
        struct faas_str name =
            template_name((struct faas_str){.ptr = header, .len = strnlen(header, NAME_LEN)});

        if (header[TYPE_AT] == '5' && name.len > 0)
            faas_strv_add_str(out, name);
        at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    faas_strv_sort(out);
}

int cli_embedded_unpack(const char *name, const char *dir, struct faas_error *err)
{
    const struct faas_tar_limits limits = {.max_bytes = 16 << 20, .max_entries = 1000};
    _cleanup_free_ char *prefix = faas_asprintf("templates/%s/", name);
    _cleanup_free_ char *half = faas_asprintf("%s.unpacking.%d", dir, (int)getpid());
    int rc = faas_mkdirs(half, 0777, err);

    if (rc == 0)
        rc = faas_tar_extract_mem(archive(), prefix, half, &limits, err);
    if (rc == 0 && rename(half, dir) < 0)
        rc = faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", dir);
    if (rc < 0)
        (void)!faas_remove_tree(half, NULL);
    return rc;
}
