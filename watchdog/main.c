#include "libfaas/version.h"
#include "watchdog/flags.h"
#include "watchdog/health.h"
#include "watchdog/watchdog.h"

#include <signal.h>
#include <stdio.h>

static int run_healthcheck(void)
{
    _cleanup_free_ char *path = wd_lock_path(environ);
    const struct wd_health health = {.lock_path = path, .accepting = true};

    if (wd_health_ok(&health))
        return 0;
    fprintf(stderr, "unable to find lock file.\n");
    return 1;
}

static void log_start(struct wd_log *log, const struct wd_config *config)
{
    const int64_t ms[] = {config->read_timeout_ms, config->write_timeout_ms,
                          config->exec_timeout_ms, config->healthcheck_interval_ms};
    bool of_watchdog = wd_modes[config->mode].family == WD_OF_WATCHDOG;
    char text[FAAS_ARRAY_LEN(ms)][32];

    for (size_t i = 0; i < FAAS_ARRAY_LEN(ms); i++)
        faas_format_go_duration(ms[i] * 1000000, text[i]);
    if (of_watchdog)
        wd_logf(log, "Watchdog mode: %s\tfprocess: \"%s\"", wd_modes[config->mode].name,
                config->fprocess ? config->fprocess : "");
    wd_logf(log, "Timeouts: read: %s write: %s hard: %s health: %s%s", text[0], text[1], text[2],
            text[3], of_watchdog ? "" : ".");
    for (size_t i = 0; i < config->warnings.len; i++)
        wd_logf(log, "%s", config->warnings.items[i]);
}

static int serve(struct wd_log *log, enum wd_family program)
{
    _cleanup_(wd_config_deinit) struct wd_config config = {0};
    struct faas_error err = {0};
    struct wd *wd;
    int status;

    if (wd_config_load(&config, environ, program, &err) < 0) {
        wd_logf(log, "Error loading config: %s", err.msg);
        return config.failure_status;
    }
    log_start(log, &config);
    wd = wd_new(&config, log, environ, &status, &err);
    if (!wd) {
        wd_logf(log, "%s", err.msg);
        return status;
    }
    status = wd_run(wd);
    wd_free(wd);
    return status;
}

int main(int argc, char **argv)
{
    struct wd_flags flags = {0};
    struct faas_error err = {0};
    struct wd_log log;
    int status = 0;

    (void)argc;
    if (wd_flags_parse(&flags, argv, &err) < 0) {
        fprintf(stderr, "%s\n%s", err.msg, wd_usage);
        return WD_EXIT_CANNOT_START;
    }
    if (flags.help) {
        fputs(wd_usage, stderr);
        return 0;
    }
    if (flags.run_healthcheck)
        return run_healthcheck();

    signal(SIGPIPE, SIG_IGN);
    wd_log_init(&log, &faas_system_clock);
    wd_logf(&log, "Version: %s\tSHA: %s", faas_version(), faas_commit());
    if (!flags.version)
        status = serve(&log, wd_family_of_program(argv[0]));
    wd_log_deinit(&log);
    return status;
}
