#include "tests/unit/unit.h"
#include "watchdog/request_log.h"

static void sizes_have_four_digits(void **state)
{
    static const struct {
        int64_t bytes;
        const char *want;
    } cases[] = {
        {-1, "-1B"},
        {0, "0B"},
        {244, "244B"},
        {999, "999B"},
        {1000, "1kB"},
        {2049, "2.049kB"},
        {1048576, "1.049MB"},
        {1073741824, "1.074GB"},
        {INT64_MAX, "9.223EB"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char out[32];

        wd_format_size(cases[i].bytes, out);
        assert_string_equal(out, cases[i].want);
    }
}

static void lines_have_the_form_that_scrapers_match(void **state)
{
    static const struct {
        struct wd_request_log log;
        const char *want;
    } cases[] = {
        {{.what = "GET /x",
          .status = 200,
          .measure = "ContentLength",
          .bytes = 2049,
          .seconds = 0.0025},
         "GET /x - 200 - ContentLength: 2.049kB (0.0025s)\n"},
        {{.what = "GET /x",
          .status = 200,
          .reason = "OK",
          .measure = "ContentLength",
          .bytes = -1,
          .seconds = 1,
          .call_id = FAAS_STR_INIT("none")},
         "GET /x - 200 OK - ContentLength: -1B (1.0000s) [none]\n"},
        {{.status = 200, .measure = "Bytes"}, ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_log log;

        wd_log_init(&log, &faas_system_clock);
        wd_request_log_write(&log, &cases[i].log);
        if (*cases[i].want) /* behind the time */
            assert_string_equal(log.err.pending.data + 20, cases[i].want);
        else
            assert_int_equal(log.err.pending.len, 0);
        faas_buf_deinit(&log.err.pending);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_four_digits),
        cmocka_unit_test(lines_have_the_form_that_scrapers_match),
    };
    return cmocka_run_group_tests_name("wd_request_log", tests, NULL, NULL);
}
