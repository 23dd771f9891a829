/* A test program that finds itself started as a watchdog runs this instead of its
 * tests: one request at a time over the socket that was handed down, told by fprocess how to
 * behave:
 *     serve      answers; after SIGTERM it goes on for healthcheck_interval
 *     shy        says three times that it is not ready yet, then serves
 *     crash      complains and ends with status 3
 *     deaf       runs, and never answers
 *     stubborn   serves, and ignores SIGTERM
 * Paths: /env/NAME, /cwd, /ids, /secret/NAME, /read/FILE, /say/TEXT (a line of output),
 * /exit/STATUS, /pid, /member (starts a process in its own group that reports a SIGTERM). */
#ifndef FAAS_TESTS_STAND_IN_WATCHDOG_H
#define FAAS_TESTS_STAND_IN_WATCHDOG_H

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

static inline bool stand_in_wanted(void)
{
    return getenv("LISTEN_FDS") != NULL;
}

static inline void stand_in_on_alarm(int signo)
{
    (void)signo;
    _exit(0);
}

static inline void stand_in_on_term(int signo)
{
    const char *interval = getenv("healthcheck_interval");
    struct itimerval t = {.it_value = {.tv_usec = 100000}};
    int64_t ms = 0;

    (void)signo;
    if (interval && faas_parse_duration(faas_str_from(interval), &ms, NULL) == 0 && ms > 0)
        t.it_value = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setitimer(ITIMER_REAL, &t, NULL);
}

static inline void stand_in_file(struct faas_buf *out, const char *dir, const char *name)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);
    struct faas_error err = {0};

    if (faas_file_read(path, 65536, out, &err) < 0)
        faas_buf_printf(out, "error: %s", strerror(err.sys_errno));
}

static inline void stand_in_on_member_term(int signo)
{
    static const char text[] = "member was told to end\n";

    (void)signo;
    _exit(write(1, text, sizeof(text) - 1) < 0);
}

static inline void stand_in_member(void)
{
    int ready[2];
    char c;

    if (pipe(ready) < 0)
        return;
    if (fork() == 0) {
        signal(SIGTERM, stand_in_on_member_term);
        close(3);
        close(ready[0]);
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    while (read(ready[0], &c, 1) > 0)
        ; /* until it has closed its end, too */
    close(ready[0]);
}

static inline void stand_in_answer(struct faas_buf *out, const char *path)
{
    char cwd[4096];

    if (strncmp(path, "/env/", 5) == 0)
        faas_buf_append_z(out, getenv(path + 5) ? getenv(path + 5) : "(unset)");
    else if (strcmp(path, "/cwd") == 0)
        faas_buf_append_z(out, getcwd(cwd, sizeof(cwd)) ? cwd : "?");
    else if (strcmp(path, "/pid") == 0)
        faas_buf_printf(out, "%d", (int)getpid());
    else if (strcmp(path, "/ids") == 0)
        faas_buf_printf(out, "%d %d %d", (int)getuid(), (int)getegid(), getgroups(0, NULL));
    else if (strncmp(path, "/secret/", 8) == 0)
        stand_in_file(out, getenv("secret_mount_path"), path + 8);
    else if (strncmp(path, "/read/", 6) == 0)
        stand_in_file(out, "/", path + 6);
    else if (strcmp(path, "/member") == 0)
        stand_in_member();
    else if (strncmp(path, "/exit/", 6) == 0)
        _exit(atoi(path + 6));
    else if (strncmp(path, "/say/", 5) == 0)
        dprintf(strlen(path) % 2 ? 1 : 2, "%s\n", path + 5);
    else
        faas_buf_append_z(out, "OK");
}

static inline void stand_in_serve_one(int fd, int *unhealthy)
{
    _cleanup_buf_ struct faas_buf body = {0}, reply = {0};
    char request[4096];
    char path[1024] = "";
    size_t used = 0;
    ssize_t n;
    bool healthy = true;

    while (used < sizeof(request) - 1 &&
           (n = read(fd, request + used, sizeof(request) - 1 - used)) > 0) {
        used += (size_t)n;
        request[used] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    request[used] = '\0';
    if (sscanf(request, "GET %1023s HTTP/1.1\r\n", path) != 1)
        return;
    if (strcmp(path, "/_/ready") == 0 && *unhealthy > 0) {
        healthy = false;
        (*unhealthy)--;
    }
    stand_in_answer(&body, path);
    faas_buf_printf(&reply, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                    healthy ? "200 OK" : "503 Service Unavailable", body.len);
    faas_buf_append_str(&reply, faas_buf_str(&body));
    if (faas_write_all(fd, reply.data, reply.len, NULL) < 0)
        return; /* the caller has gone */
}

static inline int stand_in_watchdog(void)
{
    const char *how = getenv("fprocess");
    int unhealthy = strcmp(how, "shy") == 0 ? 3 : 0;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, stand_in_on_alarm);
    signal(SIGTERM, strcmp(how, "stubborn") == 0 ? SIG_IGN : stand_in_on_term);
    if (strcmp(how, "crash") == 0) {
        dprintf(2, "no luck today\n");
        return 3;
    }
    while (strcmp(how, "deaf") == 0)
        pause();
    for (;;) {
        int fd = accept4(3, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) {
            struct timeval tv = {.tv_usec = 1000};
            fd_set set;

            /* The socket came non-blocking: wait for the next connection. */
            FD_ZERO(&set);
            FD_SET(3, &set);
            tv.tv_sec = 3600;
            select(4, &set, NULL, NULL, &tv);
            continue;
        }
        stand_in_serve_one(fd, &unhealthy);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

#endif
