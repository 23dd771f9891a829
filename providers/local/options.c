#include "providers/local/options.h"

#include "libfaas/str.h"

#define LOWEST_UID  1000       /* below are the system's own users */
#define HIGHEST_UID 2147483647 /* above, some tools read a negative number */

int local_parse_uids(const char *text, uid_t *first, uid_t *last, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(text);
    struct faas_str low = faas_str_split(&rest, '-');
    uint64_t from = 0, to = 0;

    if (!rest.ptr || faas_parse_u64(low, &from, NULL) < 0 || faas_parse_u64(rest, &to, NULL) < 0 ||
        from < LOWEST_UID || to > HIGHEST_UID || from > to)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "option function_uids: \"%s\" is not a range such as 70000-99999 within "
                         "%d-%d",
                         text, LOWEST_UID, HIGHEST_UID);
    *first = (uid_t)from;
    *last = (uid_t)to;
    return 0;
}
