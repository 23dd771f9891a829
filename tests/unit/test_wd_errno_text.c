#include "libfaas/macros.h"
#include "tests/unit/unit.h"
#include "watchdog/errno_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void a_failed_start_is_told_in_go_s_words(void **state)
{
    static const struct {
        int sys_errno;
        const char *want;
    } cases[] = {
        {E2BIG, "argument list too long"},
        {EACCES, "permission denied"},
        {EAGAIN, "resource temporarily unavailable"},
        {EIO, "input/output error"},
        {ELOOP, "too many levels of symbolic links"},
        {EMFILE, "too many open files"},
        {ENAMETOOLONG, "file name too long"},
        {ENFILE, "too many open files in system"},
        {ENOENT, "no such file or directory"},
        {ENOEXEC, "exec format error"},
        {ENOMEM, "cannot allocate memory"},
        {ETXTBSY, "text file busy"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_string_equal(wd_errno_text(cases[i].sys_errno), cases[i].want);
}

/* On which these tests run, and which Go's list was made of. */
static void every_text_is_glibc_s_in_lower_case(void **state)
{
    (void)state;
    for (int sys_errno = 1; sys_errno <= EHWPOISON; sys_errno++) {
        char want[128];
        const char *got;

        /* The text of an unknown number lasts until the next is asked for. */
        snprintf(want, sizeof(want), "%s", strerror(sys_errno));
        got = wd_errno_text(sys_errno);

        assert_int_equal(got[0], tolower((unsigned char)want[0]));
        assert_string_equal(got + 1, want + 1);
    }
}

static void an_unknown_number_has_a_text_too(void **state)
{
    (void)state;
    assert_non_null(strstr(wd_errno_text(12345), "12345"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_start_is_told_in_go_s_words),
        cmocka_unit_test(every_text_is_glibc_s_in_lower_case),
        cmocka_unit_test(an_unknown_number_has_a_text_too),
    };

    return cmocka_run_group_tests_name("wd_errno_text", tests, NULL, NULL);
}
