/* Says hello, and answers within a millisecond: a small static program has nothing to load. */
#include <function.h>

#include <ctype.h>

int handle(const struct fn_request *req, struct fn_response *res)
{
    size_t len = req->len;

    while (len > 0 && isspace((unsigned char)req->body[len - 1]))
        len--;
    if (len == 0)
        fn_printf(res, "Hello, stranger! C says so.\n");
    else
        fn_printf(res, "Hello, %.*s! C says so.\n", (int)len, req->body);
    return 0;
}
