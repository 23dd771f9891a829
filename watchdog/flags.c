#include "watchdog/flags.h"

#include "watchdog/go_bool.h"

const char wd_usage[] = "Usage of fwatchdog:\n"
                        "  -run-healthcheck\n"
                        "    \tlook for the lock file: exit 0 when it is there, 1 when not\n"
                        "  -version\n"
                        "    \tprint the version and exit\n"
                        "Everything else is set by environment variables, first of all fprocess:\n"
                        "    \tfprocess=\"wc -c\" port=8080 fwatchdog\n";

static bool *find_flag(struct wd_flags *flags, struct faas_str name)
{
    if (faas_str_eqz(name, "version"))
        return &flags->version;
    if (faas_str_eqz(name, "run-healthcheck"))
        return &flags->run_healthcheck;
    if (faas_str_eqz(name, "h") || faas_str_eqz(name, "help"))
        return &flags->help;
    return NULL;
}

static int parse_flag(struct wd_flags *flags, struct faas_str word, struct faas_error *err)
{
    struct faas_str rest = word;
    struct faas_str name = faas_str_split(&rest, '=');
    bool *flag = find_flag(flags, name);

    if (!flag)
        return faas_fail(err, FAAS_ERR_INVALID, "flag provided but not defined: -%.*s",
                         FAAS_STR_FMT(name));
    *flag = true;
    if (rest.ptr && !wd_parse_go_bool(rest, flag))
        return faas_fail(err, FAAS_ERR_INVALID, "invalid boolean value \"%.*s\" for -%.*s",
                         FAAS_STR_FMT(rest), FAAS_STR_FMT(name));
    return 0;
}

int wd_flags_parse(struct wd_flags *flags, char *const *argv, struct faas_error *err)
{
    for (size_t i = 1; argv[i]; i++) {
        struct faas_str word = faas_str_from(argv[i]);
        size_t dashes = 1;

        if (word.len < 2 || word.ptr[0] != '-' || faas_str_eqz(word, "--"))
            break;
        if (word.ptr[1] == '-')
            dashes = 2;
        word = (struct faas_str){.ptr = word.ptr + dashes, .len = word.len - dashes};
        if (parse_flag(flags, word, err) < 0)
            return -1;
    }
    return 0;
}
