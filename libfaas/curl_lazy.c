#include "libfaas/curl_lazy.h"

#include "libfaas/lazy.h"

struct faas_curl_functions faas_curl;

/* The names are macros by now, which stand for their places in the table. */
static const struct faas_lazy_symbol symbols[] = {
    {"curl_easy_cleanup", (void **)&curl_easy_cleanup},
    {"curl_easy_getinfo", (void **)&curl_easy_getinfo},
    {"curl_easy_init", (void **)&curl_easy_init},
    {"curl_easy_perform", (void **)&curl_easy_perform},
    {"curl_easy_setopt", (void **)&curl_easy_setopt},
    {"curl_easy_strerror", (void **)&curl_easy_strerror},
    {"curl_free", (void **)&curl_free},
    {"curl_global_init", (void **)&curl_global_init},
    {"curl_slist_append", (void **)&curl_slist_append},
    {"curl_slist_free_all", (void **)&curl_slist_free_all},
    {"curl_url", (void **)&curl_url},
    {"curl_url_cleanup", (void **)&curl_url_cleanup},
    {"curl_url_get", (void **)&curl_url_get},
    {"curl_url_set", (void **)&curl_url_set},
    {"curl_url_strerror", (void **)&curl_url_strerror},
    {0},
};

static struct faas_lazy lib = {
    .once = PTHREAD_ONCE_INIT,
    .soname = "libcurl.so.4",
    .symbols = symbols,
};

static void load(void)
{
    faas_lazy_open(&lib);
}

int faas_curl_load(struct faas_error *err)
{
    return faas_lazy_load(&lib, load, err);
}
