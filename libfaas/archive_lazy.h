/* libarchive, loaded when it is first needed (libfaas/lazy.h): after faas_archive_load() its
 * functions are called as ever. */
#ifndef FAAS_ARCHIVE_LAZY_H
#define FAAS_ARCHIVE_LAZY_H

#include "libfaas/error.h"

#include <archive.h>
#include <archive_entry.h>

struct faas_archive_functions {
    typeof(&(archive_entry_filetype)) archive_entry_filetype;
    typeof(&(archive_entry_free)) archive_entry_free;
    typeof(&(archive_entry_hardlink)) archive_entry_hardlink;
    typeof(&(archive_entry_mode)) archive_entry_mode;
    typeof(&(archive_entry_new)) archive_entry_new;
    typeof(&(archive_entry_pathname)) archive_entry_pathname;
    typeof(&(archive_entry_perm)) archive_entry_perm;
    typeof(&(archive_entry_set_filetype)) archive_entry_set_filetype;
    typeof(&(archive_entry_set_mtime)) archive_entry_set_mtime;
    typeof(&(archive_entry_set_pathname)) archive_entry_set_pathname;
    typeof(&(archive_entry_set_perm)) archive_entry_set_perm;
    typeof(&(archive_entry_set_size)) archive_entry_set_size;
    typeof(&(archive_entry_set_symlink)) archive_entry_set_symlink;
    typeof(&(archive_entry_size)) archive_entry_size;
    typeof(&(archive_entry_symlink)) archive_entry_symlink;
    typeof(&(archive_errno)) archive_errno;
    typeof(&(archive_error_string)) archive_error_string;
    typeof(&(archive_read_data_block)) archive_read_data_block;
    typeof(&(archive_read_free)) archive_read_free;
    typeof(&(archive_read_new)) archive_read_new;
    typeof(&(archive_read_next_header)) archive_read_next_header;
    typeof(&(archive_read_open_fd)) archive_read_open_fd;
    typeof(&(archive_read_open_memory)) archive_read_open_memory;
    typeof(&(archive_read_support_filter_gzip)) archive_read_support_filter_gzip;
    typeof(&(archive_read_support_filter_zstd)) archive_read_support_filter_zstd;
    typeof(&(archive_read_support_format_tar)) archive_read_support_format_tar;
    typeof(&(archive_write_close)) archive_write_close;
    typeof(&(archive_write_data)) archive_write_data;
    typeof(&(archive_write_free)) archive_write_free;
    typeof(&(archive_write_header)) archive_write_header;
    typeof(&(archive_write_new)) archive_write_new;
    typeof(&(archive_write_open_fd)) archive_write_open_fd;
    typeof(&(archive_write_set_bytes_in_last_block)) archive_write_set_bytes_in_last_block;
    typeof(&(archive_write_set_format_pax_restricted)) archive_write_set_format_pax_restricted;
};

extern struct faas_archive_functions faas_archive;

FAAS_NODISCARD int faas_archive_load(struct faas_error *err);

#define archive_entry_filetype                  faas_archive.archive_entry_filetype
#define archive_entry_free                      faas_archive.archive_entry_free
#define archive_entry_hardlink                  faas_archive.archive_entry_hardlink
#define archive_entry_mode                      faas_archive.archive_entry_mode
#define archive_entry_new                       faas_archive.archive_entry_new
#define archive_entry_pathname                  faas_archive.archive_entry_pathname
#define archive_entry_perm                      faas_archive.archive_entry_perm
#define archive_entry_set_filetype              faas_archive.archive_entry_set_filetype
#define archive_entry_set_mtime                 faas_archive.archive_entry_set_mtime
#define archive_entry_set_pathname              faas_archive.archive_entry_set_pathname
#define archive_entry_set_perm                  faas_archive.archive_entry_set_perm
#define archive_entry_set_size                  faas_archive.archive_entry_set_size
#define archive_entry_set_symlink               faas_archive.archive_entry_set_symlink
#define archive_entry_size                      faas_archive.archive_entry_size
#define archive_entry_symlink                   faas_archive.archive_entry_symlink
#define archive_errno                           faas_archive.archive_errno
#define archive_error_string                    faas_archive.archive_error_string
#define archive_read_data_block                 faas_archive.archive_read_data_block
#define archive_read_free                       faas_archive.archive_read_free
#define archive_read_new                        faas_archive.archive_read_new
#define archive_read_next_header                faas_archive.archive_read_next_header
#define archive_read_open_fd                    faas_archive.archive_read_open_fd
#define archive_read_open_memory                faas_archive.archive_read_open_memory
#define archive_read_support_filter_gzip        faas_archive.archive_read_support_filter_gzip
#define archive_read_support_filter_zstd        faas_archive.archive_read_support_filter_zstd
#define archive_read_support_format_tar         faas_archive.archive_read_support_format_tar
#define archive_write_close                     faas_archive.archive_write_close
#define archive_write_data                      faas_archive.archive_write_data
#define archive_write_free                      faas_archive.archive_write_free
#define archive_write_header                    faas_archive.archive_write_header
#define archive_write_new                       faas_archive.archive_write_new
#define archive_write_open_fd                   faas_archive.archive_write_open_fd
#define archive_write_set_bytes_in_last_block   faas_archive.archive_write_set_bytes_in_last_block
#define archive_write_set_format_pax_restricted faas_archive.archive_write_set_format_pax_restricted

#endif
