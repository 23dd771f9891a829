#include "watchdog/drain.h"

static void finish(struct wd_drain *d)
{
    d->state = WD_DRAINED;
    faas_timer_stop(d->loop, &d->timer);
    wd_logf(d->log, "Exiting. Active connections: %llu", (unsigned long long)d->calls->count);
    d->drained(d->arg);
}

static void on_limit(void *arg)
{
    struct wd_drain *d = arg;

    wd_logf(d->log, "Error in Shutdown: context deadline exceeded");
    finish(d);
}

static void on_interval_end(void *arg)
{
    struct wd_drain *d = arg;

    d->state = WD_DRAINING;
    wd_logf(d->log, "No new connections allowed, draining: %llu requests",
            (unsigned long long)d->calls->count);
    faas_http_server_drain(d->server);
    if (d->limit_ms)
        faas_timer_start(d->loop, &d->timer, d->limit_ms, on_limit, d);
}

void wd_drain_begin(struct wd_drain *d, const char *why)
{
    char interval[32];

    if (d->state != WD_SERVING)
        return;
    d->state = WD_LEAVING;
    faas_format_go_duration(d->interval_ms * 1000000, interval);
    wd_logf(d->log, "%s: no new connections in %s", why, interval);
    wd_logf(d->log, "Removing lock-file : %s", d->health->lock_path);
    wd_health_stop(d->health);
    if (d->interval_ms)
        faas_timer_start(d->loop, &d->timer, d->interval_ms, on_interval_end, d);
    else
        on_interval_end(d);
}

void wd_drain_check(struct wd_drain *d)
{
    if (d->state == WD_DRAINING && d->calls->count == 0 && faas_http_server_active(d->server) == 0)
        finish(d);
}
