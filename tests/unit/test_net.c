#include "libfaas/cleanup.h"
#include "libfaas/net.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const struct sockaddr *sa(const struct faas_addr *a)
{
    return (const struct sockaddr *)&a->ss;
}

static struct faas_addr addr_of(const char *host, unsigned port)
{
    struct faas_error err = {0};
    struct faas_addr a;

    if (faas_addr_parse(host, port, &a, &err) < 0)
        fail_msg("%s", err.msg);
    return a;
}

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *host;
        unsigned port;
        const char *formatted, *host_only;
    } cases[] = {
        {"127.0.0.1", 8080, "127.0.0.1:8080", "127.0.0.1"},
        {"0.0.0.0", 0, "0.0.0.0:0", "0.0.0.0"},
        {"::1", 8080, "[::1]:8080", "::1"},
        {"[::1]", 80, "[::1]:80", "::1"},
        {"[::]", 65535, "[::]:65535", "::"},
        {"2001:db8:0:0:0:0:0:1", 1, "[2001:db8::1]:1", "2001:db8::1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_addr a = addr_of(cases[i].host, cases[i].port);
        char text[64];

        faas_addr_format(sa(&a), text);
        assert_string_equal(text, cases[i].formatted);
        faas_addr_format_host(sa(&a), text);
        assert_string_equal(text, cases[i].host_only);
        assert_int_equal(faas_addr_port(sa(&a)), cases[i].port);
    }
}

static void other_families_are_unknown_not_a_crash(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char text[64];

    (void)state;
    faas_addr_format((const struct sockaddr *)&un, text);
    assert_string_equal(text, "unknown:0");
}

static void what_is_no_address_is_refused_and_quoted(void **state)
{
    static const char *const bad[] = {
        "",          "localhost",   "127.1",
        "1.2.3.4.5", "[127.0.0.1]", "::g",
        "[::1",      "::1]",        "[",
        "[]",        "01.1.1.1x",   "1111111111111111111111111111111111111111111111111111111111"};
    struct faas_error err;
    struct faas_addr a;

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        if (faas_addr_parse(bad[i], 1, &a, &err) == 0)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, bad[i]));
    }
    assert_int_equal(faas_addr_parse("127.0.0.1", 65536, &a, &err), -1);
    assert_non_null(strstr(err.msg, "65536"));
}

static void equality_looks_at_family_address_and_port(void **state)
{
    struct faas_addr a = addr_of("127.0.0.1", 1), b = addr_of("127.0.0.1", 1);
    struct faas_addr other[] = {addr_of("127.0.0.1", 2), addr_of("127.0.0.2", 1),
                                addr_of("::1", 1)};
    struct faas_addr six = addr_of("::1", 1), six2 = addr_of("::2", 1);

    (void)state;
    assert_true(faas_addr_eq(&a, &b));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(other); i++)
        assert_false(faas_addr_eq(&a, &other[i]));
    assert_true(faas_addr_eq(&six, &other[2]));
    assert_false(faas_addr_eq(&six, &six2));
}

static int get_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* Connects and accepts; returns 0 or the errno of whichever failed. */
static int try_connection(int listener, const char *host)
{
    struct faas_error err = {0};
    struct faas_addr a = addr_of(host, faas_socket_port(listener));
    _cleanup_close_ int fd = faas_connect_start(&a, &err);
    _cleanup_close_ int peer = -1;
    struct pollfd waiting[] = {{.fd = fd, .events = POLLOUT}, {.fd = listener, .events = POLLIN}};

    if (fd < 0)
        return err.sys_errno;
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(get_option(fd, IPPROTO_TCP, TCP_NODELAY));
    poll(&waiting[0], 1, 10000);
    if (get_option(fd, SOL_SOCKET, SO_ERROR) != 0)
        return ECONNREFUSED;
    poll(&waiting[1], 1, 10000);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_true(get_option(peer, IPPROTO_TCP, TCP_NODELAY));
    return 0;
}

static int must_listen(const char *host, unsigned port, bool reuseport)
{
    struct faas_error err = {0};
    int fd = faas_listen(host, port, 0, reuseport, &err);

    if (fd < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    return fd;
}

static bool have_ipv6(void)
{
    _cleanup_close_ int fd = faas_listen("::1", 0, 1, false, NULL);

    return fd >= 0;
}

static void one_address_answers_there_only(void **state)
{
    _cleanup_close_ int fd = must_listen("127.0.0.1", 0, false);

    (void)state;
    assert_int_not_equal(faas_socket_port(fd), 0);
    assert_int_equal(try_connection(fd, "127.0.0.1"), 0);
    if (have_ipv6())
        assert_int_equal(try_connection(fd, "::1"), ECONNREFUSED);
}

static void an_empty_host_answers_in_both_families(void **state)
{
    static const char *const hosts[] = {NULL, "", "[::]"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(hosts); i++) {
        if (i == 2 && !have_ipv6())
            continue;
        _cleanup_close_ int fd = must_listen(hosts[i], 0, false);

        assert_int_equal(try_connection(fd, "127.0.0.1"), 0);
        if (have_ipv6())
            assert_int_equal(try_connection(fd, "::1"), 0);
    }
}

static void a_taken_port_is_named(void **state)
{
    static const char *const names[][2] = {{"127.0.0.1", "127.0.0.1"}, {"", "*"}};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        _cleanup_close_ int fd = must_listen(names[i][0], 0, false);
        struct faas_error err = {0};
        char expected[128];

        snprintf(expected, sizeof(expected), "listen on %s:%u: Address already in use", names[i][1],
                 faas_socket_port(fd));
        assert_int_equal(faas_listen(names[i][0], faas_socket_port(fd), 0, false, &err), -1);
        assert_string_equal(err.msg, expected);
        assert_int_equal(err.sys_errno, EADDRINUSE);
        assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    }
}

static void loops_may_share_a_port(void **state)
{
    _cleanup_close_ int a = must_listen("127.0.0.1", 0, true);
    _cleanup_close_ int b = must_listen("127.0.0.1", faas_socket_port(a), true);

    (void)state;
    assert_int_equal(faas_socket_port(a), faas_socket_port(b));
}

static void bad_hosts_and_ports_are_refused(void **state)
{
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_listen("nowhere", 1, 0, false, &err), -1);
    assert_string_equal(err.msg, "listen: \"nowhere\" is not a numeric IPv4 or IPv6 address");
    assert_int_equal(faas_listen("", 65536, 0, false, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_int_equal(faas_listen("192.0.2.1", 0, 0, false, &err), -1); /* not ours: RFC 5737 */
    assert_int_equal(err.sys_errno, EADDRNOTAVAIL);
    assert_int_equal(faas_socket_port(-1), 0);
}

static void a_refused_connection_is_seen(void **state)
{
    _cleanup_close_ int closed = must_listen("127.0.0.1", 0, false);
    struct faas_addr a = addr_of("127.0.0.1", faas_socket_port(closed));
    struct faas_error err = {0};
    struct pollfd waiting = {.events = POLLOUT};

    (void)state;
    close(faas_steal_fd(&closed));
    waiting.fd = faas_connect_start(&a, &err);
    if (waiting.fd < 0) { /* the loopback may refuse before connect() returns */
        assert_int_equal(err.sys_errno, ECONNREFUSED);
        assert_non_null(strstr(err.msg, "connect 127.0.0.1:"));
        return;
    }
    assert_int_equal(poll(&waiting, 1, 10000), 1);
    assert_int_equal(get_option(waiting.fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    close(waiting.fd);
}

static void a_connection_that_cannot_start_names_the_address(void **state)
{
    struct faas_addr a = addr_of("255.255.255.255", 9);
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_connect_start(&a, &err), -1);
    assert_non_null(strstr(err.msg, "connect 255.255.255.255:9: "));
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(other_families_are_unknown_not_a_crash),
        cmocka_unit_test(what_is_no_address_is_refused_and_quoted),
        cmocka_unit_test(equality_looks_at_family_address_and_port),
        cmocka_unit_test(one_address_answers_there_only),
        cmocka_unit_test(an_empty_host_answers_in_both_families),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(loops_may_share_a_port),
        cmocka_unit_test(bad_hosts_and_ports_are_refused),
        cmocka_unit_test(a_refused_connection_is_seen),
        cmocka_unit_test(a_connection_that_cannot_start_names_the_address),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
