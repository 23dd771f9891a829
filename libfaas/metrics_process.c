#include "libfaas/metrics_process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static void sample(struct faas_buf *out, const char *type, const char *name, const char *help,
                   double value)
{
    faas_buf_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name,
                    help, name, type, name, value);
}

static double seconds(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double faas_process_start_time(void)
{
    char text[1024];
    unsigned long long ticks = 0;
    const char *p;
    size_t n;
    FILE *f = fopen("/proc/self/stat", "re");

    if (!f)
        return seconds(CLOCK_REALTIME);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    /* the name, field 2, may hold anything: count from its closing bracket; start is field 22 */
    p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (!p || sscanf(p, "%llu", &ticks) != 1)
        return seconds(CLOCK_REALTIME);
    return seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) +
           (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* Without the descriptor that the counting itself needs. -1 when /proc is not there. */
static long count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    long n = -1;

    if (!dir)
        return -1;
    while ((e = readdir(dir)))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void memory(struct faas_buf *out)
{
    double page = (double)sysconf(_SC_PAGESIZE);
    unsigned long size, resident;
    FILE *f = fopen("/proc/self/statm", "re");
    struct rlimit limit;
    int n;

    if (!f)
        return;
    n = fscanf(f, "%lu %lu", &size, &resident);
    fclose(f);
    if (n != 2)
        return;
    sample(out, "gauge", "resident_memory_bytes", "Resident memory size in bytes.",
           (double)resident * page);
    sample(out, "gauge", "virtual_memory_bytes", "Virtual memory size in bytes.",
           (double)size * page);
    if (getrlimit(RLIMIT_AS, &limit) == 0)
        sample(out, "gauge", "virtual_memory_max_bytes",
               "Maximum amount of virtual memory available in bytes.", (double)limit.rlim_cur);
}

void faas_process_metrics_text(struct faas_buf *out, double start_time)
{
    struct rlimit limit;
    long fds = count_fds();

    sample(out, "counter", "cpu_seconds_total", "User and system CPU time spent in seconds.",
           seconds(CLOCK_PROCESS_CPUTIME_ID));
    if (fds >= 0)
        sample(out, "gauge", "open_fds", "Number of open file descriptors.", (double)fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        sample(out, "gauge", "max_fds", "Maximum number of open file descriptors.",
               (double)limit.rlim_cur);
    memory(out);
    sample(out, "gauge", "start_time_seconds",
           "Start time of the process in seconds since the Unix epoch.", start_time);
}
