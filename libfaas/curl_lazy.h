/* libcurl, loaded when it is first needed (libfaas/lazy.h): after faas_curl_load() its functions
 * are called as ever. */
#ifndef FAAS_CURL_LAZY_H
#define FAAS_CURL_LAZY_H

#include "libfaas/error.h"

#include <curl/curl.h>

struct faas_curl_functions {
    typeof(&(curl_easy_cleanup)) curl_easy_cleanup;
    typeof(&(curl_easy_getinfo)) curl_easy_getinfo;
    typeof(&(curl_easy_init)) curl_easy_init;
    typeof(&(curl_easy_perform)) curl_easy_perform;
    typeof(&(curl_easy_setopt)) curl_easy_setopt;
    typeof(&(curl_easy_strerror)) curl_easy_strerror;
    typeof(&(curl_free)) curl_free;
    typeof(&(curl_global_init)) curl_global_init;
    typeof(&(curl_slist_append)) curl_slist_append;
    typeof(&(curl_slist_free_all)) curl_slist_free_all;
    typeof(&(curl_url)) curl_url;
    typeof(&(curl_url_cleanup)) curl_url_cleanup;
    typeof(&(curl_url_get)) curl_url_get;
    typeof(&(curl_url_set)) curl_url_set;
    typeof(&(curl_url_strerror)) curl_url_strerror;
};

extern struct faas_curl_functions faas_curl;

FAAS_NODISCARD int faas_curl_load(struct faas_error *err);

/* These are macros of its own, which only check types. */
#undef curl_easy_getinfo
#undef curl_easy_setopt

#define curl_easy_cleanup   faas_curl.curl_easy_cleanup
#define curl_easy_getinfo   faas_curl.curl_easy_getinfo
#define curl_easy_init      faas_curl.curl_easy_init
#define curl_easy_perform   faas_curl.curl_easy_perform
#define curl_easy_setopt    faas_curl.curl_easy_setopt
#define curl_easy_strerror  faas_curl.curl_easy_strerror
#define curl_free           faas_curl.curl_free
#define curl_global_init    faas_curl.curl_global_init
#define curl_slist_append   faas_curl.curl_slist_append
#define curl_slist_free_all faas_curl.curl_slist_free_all
#define curl_url            faas_curl.curl_url
#define curl_url_cleanup    faas_curl.curl_url_cleanup
#define curl_url_get        faas_curl.curl_url_get
#define curl_url_set        faas_curl.curl_url_set
#define curl_url_strerror   faas_curl.curl_url_strerror

#endif
