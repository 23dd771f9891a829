/* Go's words for an errno: what a function that could not be started is answered with, and what
 * images and their tests were written to. The C library's own words differ between libraries. */
#ifndef FAAS_WATCHDOG_ERRNO_TEXT_H
#define FAAS_WATCHDOG_ERRNO_TEXT_H

/* Never NULL. Of an errno that no start of a process ends with, the C library's words in Go's
 * case; valid until the next call. */
const char *wd_errno_text(int sys_errno);

#endif
