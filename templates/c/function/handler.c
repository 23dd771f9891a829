#include "function.h"

int handle(const struct fn_request *req, struct fn_response *res)
{
    fn_write(res, req->body, req->len);
    return 0;
}
