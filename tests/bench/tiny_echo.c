/* The cheapest function there can be: copies stdin to stdout without a C library, so that what is
 * measured is the watchdog and not a libc's start-up. x86-64 and aarch64 Linux. */

#if defined(__x86_64__)
enum { SYS_READ = 0, SYS_WRITE = 1, SYS_EXIT = 60 };

static long call3(long nr, long a, long b, long c)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
enum { SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 };

static long call3(long nr, long a, long b, long c)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#else
#error "tiny_echo knows the system calls of x86-64 and aarch64 only"
#endif

void _start(void);

void _start(void)
{
    static char buf[65536];
    long n;

    while ((n = call3(SYS_READ, 0, (long)buf, sizeof(buf))) > 0)
        for (long done = 0, w; done < n; done += w)
            if ((w = call3(SYS_WRITE, 1, (long)buf + done, n - done)) <= 0)
                call3(SYS_EXIT, 1, 0, 0);
    call3(SYS_EXIT, n < 0, 0, 0);
}
