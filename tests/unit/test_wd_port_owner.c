#include "libfaas/net.h"
#include "tests/unit/unit.h"
#include "watchdog/port_owner.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct helper {
    pid_t pid;
    int out; /* it writes a byte when it is in its place */
};

/* A process that holds fd, in the group given (0: its own). */
static struct helper start(int fd, pid_t group)
{
    struct helper h;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    h.out = fds[0];
    h.pid = fork();
    if (h.pid == 0) {
        setpgid(0, group);
        (void)fd; /* inherited */
        (void)!write(fds[1], "x", 1);
        pause();
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(read(h.out, &(char){0}, 1), 1);
    return h;
}

static void stop(struct helper *h)
{
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    close(h->out);
}

static void the_holder_s_group_is_known(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "", "::1"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(hosts); i++) {
        int fd = faas_listen(hosts[i], 0, 0, false, NULL);
        unsigned port = faas_socket_port(fd);
        struct helper first, member;

        print_message("  [%s]\n", hosts[i]);
        assert_true(fd >= 0);
        assert_true(wd_port_is_of_group(port, getpgrp()));
        first = start(fd, 0);
        assert_true(wd_port_is_of_group(port, first.pid));
        stop(&first);
        assert_false(wd_port_is_of_group(port, first.pid));
        close(fd);
        /* Nobody: there is nothing to object to. */
        assert_true(wd_port_is_of_group(port, getpgrp()));

        first = start(-1, 0);
        fd = faas_listen(hosts[i], 0, 0, false, NULL);
        port = faas_socket_port(fd);
        assert_false(wd_port_is_of_group(port, first.pid));
        member = start(fd, first.pid);
        assert_true(wd_port_is_of_group(port, first.pid));
        stop(&member);
        stop(&first);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_holder_s_group_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
