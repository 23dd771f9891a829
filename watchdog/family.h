/* OpenFaaS has two watchdogs, and images for either that say nothing but fprocess. Which of them
 * this binary stands in for decides what an image without `mode` gets, and how settings are read.
 *
 * An explicit mode decides by itself. Without one the program's name does: `of-watchdog` is the one
 * and any other name the other, unless the binary was built to stand in for of-watchdog under every
 * name (images copy it to /usr/bin/fwatchdog, which tells nothing). */
#ifndef FAAS_WATCHDOG_FAMILY_H
#define FAAS_WATCHDOG_FAMILY_H

enum wd_family { WD_CLASSIC_WATCHDOG, WD_OF_WATCHDOG };

/* argv0: the program as it was called; may be NULL. */
enum wd_family wd_family_of_program(const char *argv0);

#endif
