/* The type of a file by its name. */
#ifndef FAAS_WATCHDOG_MIME_H
#define FAAS_WATCHDOG_MIME_H

/* NULL: the name does not tell. */
const char *wd_mime_by_name(const char *path);

#endif
