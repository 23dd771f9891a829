#include "watchdog/port_owner.h"

#include "libfaas/macros.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a

/* The inode of the socket that listens at port, by one of the kernel's tables; 0: none. Those that
 * listen stand first in it, and a busy machine has many more. */
static unsigned long listener_in(const char *table, unsigned port)
{
    FILE *file = fopen(table, "re");
    unsigned long found = 0;
    char line[512];
    unsigned local, state;
    unsigned long inode;

    if (!file)
        return 0;
    if (!fgets(line, sizeof(line), file)) { /* the heading */
        fclose(file);
        return 0;
    }
    while (!found && fgets(line, sizeof(line), file) &&
           sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu", &local,
                  &state, &inode) == 3 &&
           state == STATE_LISTEN)
        if (local == port)
            found = inode;
    fclose(file);
    return found;
}

static bool holds(pid_t pid, const char *socket_name)
{
    char path[64], target[64];
    DIR *dir;
    struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    while (dir && !found && (entry = readdir(dir))) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, socket_name) == 0;
        }
    }
    if (dir)
        closedir(dir);
    return found;
}

/* A server often leaves listening to a process that it has started. */
static bool group_holds(pid_t group, const char *socket_name)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        pid_t pid = atoi(entry->d_name);

        found = pid > 0 && pid != group && getpgid(pid) == group && holds(pid, socket_name);
    }
    if (dir)
        closedir(dir);
    return found;
}

bool wd_port_is_of_group(unsigned port, pid_t group)
{
    static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    bool somebody = false;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(tables); i++) {
        unsigned long inode = listener_in(tables[i], port);
        char name[64];

        if (!inode)
            continue;
        somebody = true;
        snprintf(name, sizeof(name), "socket:[%lu]", inode);
        if (holds(group, name) || group_holds(group, name))
            return true;
    }
    return !somebody;
}
