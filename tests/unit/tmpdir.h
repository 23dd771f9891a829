/* A folder of its own for each test, removed with all its content afterwards. */
#ifndef FAAS_TESTS_TMPDIR_H
#define FAAS_TESTS_TMPDIR_H

#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "tests/unit/unit.h"

/* cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown): *state is its path. */
static inline int tmpdir_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = faas_asprintf("%s/faas-test-XXXXXX", base ? base : "/tmp");

    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static inline int tmpdir_teardown(void **state)
{
    struct faas_error err = {0};
    int rc = faas_remove_tree(*state, &err);

    if (rc < 0)
        print_error("%s\n", err.msg);
    free(*state);
    return rc;
}

#define tmpdir_test(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

#endif
