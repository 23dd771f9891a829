#include "libfaas/fetch_impl.h"

int faas_fetch(const struct faas_fetch_req *req, struct faas_fetch_resp *resp,
               struct faas_error *err)
{
    enum faas_fetch_outcome outcome = FAAS_FETCH_FOR_CURL;

    *resp = (struct faas_fetch_resp){0};
    if (!req->allow_addr)
        outcome = faas_fetch_plain(req, resp, err);
    if (outcome == FAAS_FETCH_FOR_CURL)
        return faas_fetch_by_curl(req, req->max_redirects > 0, resp, err);
    if (outcome == FAAS_FETCH_DONE)
        return 0;
    faas_fetch_resp_deinit(resp);
    return -1;
}
