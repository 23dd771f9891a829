#include "libfaas/http_date.h"

#include <stdio.h>

/* The language of strftime() and strptime() is English: our servers never call setlocale(). */

void faas_http_date_format(time_t t, char out[FAAS_HTTP_DATE_SIZE])
{
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, FAAS_HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        *out = '\0';
}

bool faas_http_date_parse(struct faas_str s, time_t *out)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* what is sent today */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %d %H:%M:%S %Y",      /* asctime() */
    };
    char text[64];

    if (s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    for (size_t i = 0; i < FAAS_ARRAY_LEN(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);

        if (end && *end == '\0') {
            *out = timegm(&tm);
            return true;
        }
    }
    return false;
}
