/* Other programs: run to their end, their output taken line by line. */
#ifndef FAAS_CLI_RUN_H
#define FAAS_CLI_RUN_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

struct cli_run {
    char *const *argv;                  /* argv[0] is looked up in PATH */
    const char *cwd;                    /* NULL: ours */
    const struct faas_map *environment; /* added to ours; may be NULL */
    bool with_stderr;                   /* take its stderr as well; otherwise it goes to ours */
    bool uninterrupted;                 /* Ctrl-C is not for it: it cleans up */
    /* Gets every line without its end; the last may have had none. NULL: the program writes to our
     * own stdout and stderr. */
    void (*line)(void *arg, struct faas_str line);
    void *arg;
};

/* Blocks until the program has ended and its output too. Any exit is success, *status is as from
 * waitpid(). Standard input is empty; it may ask its questions at the terminal (git and ssh want
 * passwords). It is ended when we are, and Ctrl-C ends what it has started, too. */
FAAS_NODISCARD int cli_run(const struct cli_run *r, int *status, struct faas_error *err);
/* The same, when only exit status 0 will do: any other is an error that says which. */
FAAS_NODISCARD int cli_run_checked(const struct cli_run *r, struct faas_error *err);
/* Runs it and takes what it prints, without blanks around it. A non-zero exit is an error. Heap. */
char *cli_run_capture(char *const *argv, const char *cwd, struct faas_error *err);
/* A line() for output that nobody wants to see. */
void cli_drop_line(void *arg, struct faas_str line);
/* Appends a word as a shell has to be given it, quoted where it must be. */
void cli_shell_append(struct faas_buf *out, const char *word);

#endif
