#include "tests/unit/fakes/redis_server.h"

#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"
#include "libfaas/file.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

void redis_server_restart(struct redis_server *s, const char *const *extra)
{
    _cleanup_free_ char *program =
        faas_find_executable("redis-server", "/usr/bin:/usr/local/bin", NULL);
    const char *argv[32] = {"redis-server", "--port", "0", "--unixsocket", s->url.path, "--dir",
                            s->dir,         "--save", "",  "--loglevel",   "warning"};
    size_t n = 11;
    struct faas_spawn how = {
        .path = program,
        .argv = (char *const *)argv,
        .envp = environ,
        .stdio = {-1, -1, -1},
        .death_signal = SIGKILL,
    };

    assert_non_null(program); /* redis-server is to be installed: make deps */
    for (; extra && *extra; extra++)
        argv[n++] = *extra;
    assert_int_equal(faas_spawn(&how, &s->process, NULL), 0);
}

void redis_server_start(struct redis_server *s, const char *const *extra)
{
    *s = (struct redis_server){0};
    snprintf(s->dir, sizeof(s->dir), "/tmp/minnow-redis-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->url.path = faas_asprintf("%s/s", s->dir);
    redis_server_restart(s, extra);
}

void redis_server_signal(struct redis_server *s, int signo)
{
    faas_process_kill(&s->process, signo);
}

void redis_server_kill(struct redis_server *s)
{
    struct pollfd exit = {.fd = s->process.pidfd, .events = POLLIN};
    int status;

    if (!s->process.pid)
        return;
    faas_process_kill(&s->process, SIGKILL);
    poll(&exit, 1, -1);
    assert_true(faas_process_reap(&s->process, &status));
}

void redis_server_stop(struct redis_server *s)
{
    redis_server_kill(s);
    assert_int_equal(faas_remove_tree(s->dir, NULL), 0);
    faas_redis_url_deinit(&s->url);
}
