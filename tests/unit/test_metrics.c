#include "libfaas/metrics.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static const struct faas_family_def calls = {
    .type = FAAS_METRIC_COUNTER,
    .name = "calls_total",
    .help = "Calls, by \"function\"\nand \\ code.",
    .labels = {"function_name", "code"},
};
static const struct faas_family_def inflight = {
    .type = FAAS_METRIC_GAUGE, .name = "inflight", .help = "Now."};
static const struct faas_family_def took = {
    .type = FAAS_METRIC_HISTOGRAM, .name = "took_seconds", .help = "Time.", .labels = {"fn"}};
static const struct faas_family_def bare = {
    .type = FAAS_METRIC_HISTOGRAM, .name = "bare_seconds", .help = "Time."};

#define VALUES(...)       \
    (const char *const[]) \
    {                     \
        __VA_ARGS__       \
    }

/* The text without the process_* part, which differs from run to run. */
static void text(struct faas_metrics *m, struct faas_buf *out)
{
    char *process;

    faas_buf_clear(out);
    faas_metrics_text(m, out);
    process = strstr(out->data, "# HELP process_");
    assert_non_null(process);
    *process = '\0';
}

static void counters_and_gauges_are_written_with_escaped_labels(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    struct faas_family *f = faas_metrics_family(m, &calls);
    struct faas_gauge *g = faas_gauge(faas_metrics_family(m, &inflight), NULL);
    struct faas_counter *c = faas_counter(f, VALUES("figlet.ns", "200"));
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    faas_counter_add(c, 2);
    faas_counter_add(c, 1);
    faas_counter_add(faas_counter(f, VALUES("a\"b\\c\nd\xff", "500")), 1);
    faas_gauge_set(g, 3);
    faas_gauge_add(g, -5);
    assert_int_equal(faas_gauge_get(g), -2);
    assert_int_equal(faas_counter_get(c), 3);
    text(m, &out);
    assert_string_equal(
        out.data, "# HELP calls_total Calls, by \"function\"\\nand \\\\ code.\n"
                  "# TYPE calls_total counter\n"
                  "calls_total{function_name=\"figlet.ns\",code=\"200\"} 3\n"
                  "calls_total{function_name=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\",code=\"500\"} 1\n"
                  "# HELP inflight Now.\n"
                  "# TYPE inflight gauge\n"
                  "inflight -2\n");
    faas_metrics_free(m);
}

static void a_series_and_a_family_are_made_once(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    struct faas_family *f = faas_metrics_family(m, &calls);
    char name[] = "f";

    (void)state;
    assert_ptr_equal(faas_metrics_family(m, &calls), f);
    assert_ptr_equal(faas_counter(f, VALUES(name, "200")), faas_counter(f, VALUES("f", "200")));
    name[0] = 'g'; /* the registry keeps its own copy */
    assert_ptr_not_equal(faas_counter(f, VALUES(name, "200")), faas_counter(f, VALUES("f", "200")));
    assert_ptr_not_equal(faas_counter(f, VALUES("f", "20")), faas_counter(f, VALUES("f", "200")));
    faas_metrics_free(m);
    faas_metrics_free(NULL);
}

static void a_family_without_labels_is_there_from_the_start(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    faas_metrics_family(m, &inflight);
    faas_metrics_family(m, &calls); /* has labels but no series yet: not shown */
    text(m, &out);
    assert_string_equal(out.data, "# HELP inflight Now.\n# TYPE inflight gauge\ninflight 0\n");
    faas_metrics_free(m);
}

static void histograms_cumulate(void **state)
{
    static const int64_t ns[] = {-1,         0,           5000000,     5000001,
                                 1000000000, 10000000000, 10000000001, 3600000000000};
    struct faas_metrics *m = faas_metrics_new();
    struct faas_histogram *h = faas_histogram(faas_metrics_family(m, &took), VALUES("f"));
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(ns); i++)
        faas_histogram_observe_ns(h, ns[i]);
    faas_metrics_family(m, &bare);
    text(m, &out);
    assert_string_equal(out.data, "# HELP took_seconds Time.\n"
                                  "# TYPE took_seconds histogram\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.005\"} 3\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.01\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.025\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.05\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.1\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.25\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"0.5\"} 4\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"1\"} 5\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"2.5\"} 5\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"5\"} 5\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"10\"} 6\n"
                                  "took_seconds_bucket{fn=\"f\",le=\"+Inf\"} 8\n"
                                  "took_seconds_sum{fn=\"f\"} 3621.010000002\n"
                                  "took_seconds_count{fn=\"f\"} 8\n"
                                  "# HELP bare_seconds Time.\n"
                                  "# TYPE bare_seconds histogram\n"
                                  "bare_seconds_bucket{le=\"0.005\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.01\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.025\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.05\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.1\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.25\"} 0\n"
                                  "bare_seconds_bucket{le=\"0.5\"} 0\n"
                                  "bare_seconds_bucket{le=\"1\"} 0\n"
                                  "bare_seconds_bucket{le=\"2.5\"} 0\n"
                                  "bare_seconds_bucket{le=\"5\"} 0\n"
                                  "bare_seconds_bucket{le=\"10\"} 0\n"
                                  "bare_seconds_bucket{le=\"+Inf\"} 0\n"
                                  "bare_seconds_sum 0.000000000\n"
                                  "bare_seconds_count 0\n");
    faas_metrics_free(m);
}

static void sums_go_over_the_other_labels(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    struct faas_family *f = faas_metrics_family(m, &calls);

    (void)state;
    faas_counter_add(faas_counter(f, VALUES("f", "200")), 5);
    faas_counter_add(faas_counter(f, VALUES("f", "500")), 2);
    faas_counter_add(faas_counter(f, VALUES("g", "200")), 100);
    assert_int_equal(faas_family_sum(f, 0, "f"), 7);
    assert_int_equal(faas_family_sum(f, 1, "200"), 105);
    assert_int_equal(faas_family_sum(f, 0, "h"), 0);
    faas_metrics_free(m);
}

static double process_value(const struct faas_buf *out, const char *name)
{
    char line[80];
    const char *at;

    snprintf(line, sizeof(line), "\nprocess_%s ", name);
    at = strstr(out->data, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void the_process_describes_itself(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    _cleanup_buf_ struct faas_buf out = {0}, more = {0};
    int fds[2];

    (void)state;
    faas_metrics_text(m, &out);
    assert_int_equal(pipe(fds), 0);
    faas_metrics_text(m, &more);
    assert_true(process_value(&more, "open_fds") == process_value(&out, "open_fds") + 2);
    close(fds[0]);
    close(fds[1]);
    assert_true(process_value(&out, "max_fds") >= process_value(&out, "open_fds"));
    assert_true(process_value(&out, "cpu_seconds_total") > 0);
    assert_true(process_value(&out, "resident_memory_bytes") > 100000);
    assert_true(process_value(&out, "virtual_memory_bytes") >
                process_value(&out, "resident_memory_bytes"));
    assert_true(process_value(&out, "start_time_seconds") <= (double)time(NULL) + 1);
    assert_true(process_value(&out, "start_time_seconds") > (double)time(NULL) - 600);
    assert_true(process_value(&out, "start_time_seconds") ==
                process_value(&more, "start_time_seconds"));
    faas_metrics_free(m);
}

#define ROUNDS 2000

static void *count_in_a_thread(void *arg)
{
    struct faas_family *f = faas_metrics_family(arg, &calls);
    struct faas_histogram *h = faas_histogram(faas_metrics_family(arg, &took), VALUES("f"));

    for (int i = 0; i < ROUNDS; i++) {
        char code[8];

        snprintf(code, sizeof(code), "%d", i % 50);
        faas_counter_add(faas_counter(f, VALUES("f", code)), 1);
        faas_histogram_observe_ns(h, i);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct faas_metrics *m = faas_metrics_new();
    _cleanup_buf_ struct faas_buf out = {0};
    pthread_t threads[3];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_in_a_thread, m), 0);
    for (int i = 0; i < 20; i++)
        text(m, &out); /* a scrape in the middle of it */
    for (size_t i = 0; i < FAAS_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(faas_family_sum(faas_metrics_family(m, &calls), 0, "f"),
                     ROUNDS * FAAS_ARRAY_LEN(threads));
    text(m, &out);
    assert_non_null(strstr(out.data, "took_seconds_count{fn=\"f\"} 6000\n"));
    faas_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_are_written_with_escaped_labels),
        cmocka_unit_test(a_series_and_a_family_are_made_once),
        cmocka_unit_test(a_family_without_labels_is_there_from_the_start),
        cmocka_unit_test(histograms_cumulate),
        cmocka_unit_test(sums_go_over_the_other_labels),
        cmocka_unit_test(the_process_describes_itself),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
