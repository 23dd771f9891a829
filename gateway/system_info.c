/* /system/info: what this gateway is. */
#include "gateway/system.h"

#include "libfaas/version.h"

#include <sys/utsname.h>

/* Clients expect Go's names. */
static const char *architecture(void)
{
    static const struct {
        const char *machine, *name;
    } names[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"armv6l", "arm"}};
    static struct utsname u;

    if (uname(&u) < 0)
        return "unknown";
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        if (strcmp(u.machine, names[i].machine) == 0)
            return names[i].name;
    }
    return u.machine;
}

static json_t *version(void)
{
    return json_pack("{s:s, s:s}", "sha", faas_commit(), "release", faas_version());
}

static int info(struct gw_management *m, struct faas_error *err)
{
    struct faas_provider_info p = {0};

    (void)err;
    faas_provider_info(&m->gw->provider, &p);
    gw_management_reply_json(m, json_pack("{s:{s:s, s:o, s:s}, s:o, s:s}", "provider", "provider",
                                          p.provider, "version", version(), "orchestration",
                                          p.orchestration, "version", version(), "arch",
                                          architecture()));
    return 0;
}

const struct gw_management_call gw_info = {.run = info};
