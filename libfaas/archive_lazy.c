#include "libfaas/archive_lazy.h"

#include "libfaas/lazy.h"

struct faas_archive_functions faas_archive;

/* The names are macros by now, which stand for their places in the table. */
static const struct faas_lazy_symbol symbols[] = {
    {"archive_entry_filetype", (void **)&archive_entry_filetype},
    {"archive_entry_free", (void **)&archive_entry_free},
    {"archive_entry_hardlink", (void **)&archive_entry_hardlink},
    {"archive_entry_mode", (void **)&archive_entry_mode},
    {"archive_entry_new", (void **)&archive_entry_new},
    {"archive_entry_pathname", (void **)&archive_entry_pathname},
    {"archive_entry_perm", (void **)&archive_entry_perm},
    {"archive_entry_set_filetype", (void **)&archive_entry_set_filetype},
    {"archive_entry_set_mtime", (void **)&archive_entry_set_mtime},
    {"archive_entry_set_pathname", (void **)&archive_entry_set_pathname},
    {"archive_entry_set_perm", (void **)&archive_entry_set_perm},
    {"archive_entry_set_size", (void **)&archive_entry_set_size},
    {"archive_entry_set_symlink", (void **)&archive_entry_set_symlink},
    {"archive_entry_size", (void **)&archive_entry_size},
    {"archive_entry_symlink", (void **)&archive_entry_symlink},
    {"archive_errno", (void **)&archive_errno},
    {"archive_error_string", (void **)&archive_error_string},
    {"archive_read_data_block", (void **)&archive_read_data_block},
    {"archive_read_free", (void **)&archive_read_free},
    {"archive_read_new", (void **)&archive_read_new},
    {"archive_read_next_header", (void **)&archive_read_next_header},
    {"archive_read_open_fd", (void **)&archive_read_open_fd},
    {"archive_read_open_memory", (void **)&archive_read_open_memory},
    {"archive_read_support_filter_gzip", (void **)&archive_read_support_filter_gzip},
    {"archive_read_support_filter_zstd", (void **)&archive_read_support_filter_zstd},
    {"archive_read_support_format_tar", (void **)&archive_read_support_format_tar},
    {"archive_write_close", (void **)&archive_write_close},
    {"archive_write_data", (void **)&archive_write_data},
    {"archive_write_free", (void **)&archive_write_free},
    {"archive_write_header", (void **)&archive_write_header},
    {"archive_write_new", (void **)&archive_write_new},
    {"archive_write_open_fd", (void **)&archive_write_open_fd},
    {"archive_write_set_bytes_in_last_block", (void **)&archive_write_set_bytes_in_last_block},
    {"archive_write_set_format_pax_restricted", (void **)&archive_write_set_format_pax_restricted},
    {0},
};

static struct faas_lazy lib = {
    .once = PTHREAD_ONCE_INIT,
    .soname = "libarchive.so.13",
    .symbols = symbols,
};

static void load(void)
{
    faas_lazy_open(&lib);
}

int faas_archive_load(struct faas_error *err)
{
    return faas_lazy_load(&lib, load, err);
}
