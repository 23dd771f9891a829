#include "watchdog/go_bool.h"

bool wd_parse_go_bool(struct faas_str s, bool *out)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(yes); i++) {
        if (faas_str_eqz(s, yes[i]) || faas_str_eqz(s, no[i])) {
            *out = faas_str_eqz(s, yes[i]);
            return true;
        }
    }
    return false;
}
