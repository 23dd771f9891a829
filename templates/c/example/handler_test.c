/* Run at every build, with all files called *_test.c, each a program of its own; the build argument
 * TEST_ENABLED=false turns that off. */
#include "function.h"

#include <assert.h>
#include <string.h>

int main(void)
{
    int (*there_is_a_handler)(const struct fn_request *, struct fn_response *) = handle;

    /* What your function promises, for example:

    struct fn_request request = {.method = "POST", .path = "/", .query = "", .body = "hello", .len = 5};
    struct fn_response response = {.status = 200};

    assert(handle(&request, &response) == 0);
    assert(response.len == 5 && memcmp(response.body, "hello", 5) == 0);
    */
    return there_is_a_handler ? 0 : 1;
}
