#include "tests/unit/unit.h"
#include "watchdog/sniff.h"

/* The expectations are what Go's net/http.DetectContentType answers. */
static const struct {
    const char *bytes;
    size_t len;
    const char *want;
} cases[] = {
    {"", 0, "text/plain; charset=utf-8"},
    {"\173\042\141\042\072\061\175", 7, "text/plain; charset=utf-8"},
    {"\150\145\154\154\157\012", 6, "text/plain; charset=utf-8"},
    {"\000\001", 2, "application/octet-stream"},
    {"\040\040\012\074\150\164\155\154\076\170", 10, "text/html; charset=utf-8"},
    {"\074\110\124\115\114\040", 6, "text/html; charset=utf-8"},
    {"\074\150\164\155\154", 5, "text/plain; charset=utf-8"},
    {"\074\150\164\155\154\170\076", 7, "text/plain; charset=utf-8"},
    {"\074\041\104\117\103\124\131\120\105\040\150\164\155\154\076", 15,
     "text/html; charset=utf-8"},
    {"\074\041\055\055\040\170\040\055\055\076", 10, "text/html; charset=utf-8"},
    {"\074\041\055\055\170", 5, "text/plain; charset=utf-8"},
    {"\074\160\076", 3, "text/html; charset=utf-8"},
    {"\074\160\162\145\076", 5, "text/plain; charset=utf-8"},
    {"\074\141\040\150\162\145\146\075\170\076", 10, "text/html; charset=utf-8"},
    {"\074\142\076", 3, "text/html; charset=utf-8"},
    {"\074\142\162\076", 4, "text/html; charset=utf-8"},
    {"\074\142\157\144\171\076", 6, "text/html; charset=utf-8"},
    {"\040\040\074\077\170\155\154\040\166\145\162\163\151\157\156", 15, "text/xml; charset=utf-8"},
    {"\074\077\130\115\114\040", 6, "text/plain; charset=utf-8"},
    {"\045\120\104\106\055\061\056\064", 8, "application/pdf"},
    {"\045\041\120\123\055\101\144\157\142\145\055\063", 12, "application/postscript"},
    {"\357\273\277\170", 4, "text/plain; charset=utf-8"},
    {"\376\377\000\141", 4, "text/plain; charset=utf-16be"},
    {"\377\376\141\000", 4, "text/plain; charset=utf-16le"},
    {"\376\377", 2, "text/plain; charset=utf-8"},
    {"\000\000\001\000\170\170", 6, "image/x-icon"},
    {"\000\000\002\000", 4, "image/x-icon"},
    {"\102\115\170\170", 4, "image/bmp"},
    {"\107\111\106\070\067\141", 6, "image/gif"},
    {"\107\111\106\070\071\141", 6, "image/gif"},
    {"\107\111\106\070\070\141", 6, "text/plain; charset=utf-8"},
    {"\122\111\106\106\170\170\170\170\127\105\102\120\126\120\070", 15, "image/webp"},
    {"\122\111\106\106\170\170\170\170\127\105\102\120\170\170", 14, "text/plain; charset=utf-8"},
    {"\211\120\116\107\015\012\032\012", 8, "image/png"},
    {"\377\330\377\340", 4, "image/jpeg"},
    {"\106\117\122\115\170\170\170\170\101\111\106\106", 12, "audio/aiff"},
    {"\111\104\063\003", 4, "audio/mpeg"},
    {"\117\147\147\123\000\002", 6, "application/ogg"},
    {"\115\124\150\144\000\000\000\006", 8, "audio/midi"},
    {"\122\111\106\106\170\170\170\170\101\126\111\040\114\111\123\124", 16, "video/avi"},
    {"\122\111\106\106\170\170\170\170\127\101\126\105\146\155\164", 15, "audio/wave"},
    {"\000\000\000\030\146\164\171\160\155\160\064\062\000\000\000\000\151\163\157\155\151\163\157"
     "\062",
     24, "video/mp4"},
    {"\000\000\000\030\146\164\171\160\151\163\157\155\000\000\000\000\151\163\157\155\155\160\064"
     "\061",
     24, "video/mp4"},
    {"\000\000\000\020\146\164\171\160\151\163\157\155\155\160\064\062", 16,
     "application/octet-stream"},
    {"\000\000\001\000\146\164\171\160\155\160\064\062", 12, "image/x-icon"},
    {"\000\000\000\027\146\164\171\160\155\160\064\062\000\000\000\000\151\163\157\155\151\163\157",
     23, "application/octet-stream"},
    {"\032\105\337\243\170\170", 6, "video/webm"},
    {"\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170\170"
     "\170\170\170\170\170\170\170\170\170\170\170\114\120\170\170",
     38, "application/vnd.ms-fontobject"},
    {"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
     "\000\000\000\000\000\000\000\000\000\000\000\114\120",
     36, "application/vnd.ms-fontobject"},
    {"\000\001\000\000", 4, "font/ttf"},
    {"\117\124\124\117", 4, "font/otf"},
    {"\164\164\143\146", 4, "font/collection"},
    {"\167\117\106\106", 4, "font/woff"},
    {"\167\117\106\062", 4, "font/woff2"},
    {"\037\213\010\000", 4, "application/x-gzip"},
    {"\120\113\003\004", 4, "application/zip"},
    {"\122\141\162\041\032\007\000", 7, "application/x-rar-compressed"},
    {"\122\141\162\041\032\007\001\000", 8, "application/x-rar-compressed"},
    {"\122\141\162\041\032\007", 6, "application/octet-stream"},
    {"\000\141\163\155\001", 5, "application/wasm"},
    {"\164\145\170\164\013\167\151\164\150\040\166\164", 12, "application/octet-stream"},
    {"\164\145\170\164\033\167\151\164\150\040\145\163\143", 13, "text/plain; charset=utf-8"},
    {"\164\145\170\164\014\167\151\164\150\040\146\146", 12, "text/plain; charset=utf-8"},
    {"\143\141\146\303\251", 5, "text/plain; charset=utf-8"},
    {"\377\377\040\162\141\167", 6, "text/plain; charset=utf-8"},
    {"\011\014\040\074\163\143\162\151\160\164\076", 11, "text/html; charset=utf-8"},
    {"\013\074\163\143\162\151\160\164\076", 9, "application/octet-stream"},
    {"\074\164\151\164\154\145\011\076", 8, "text/plain; charset=utf-8"},
    {"\074\150\061\076", 4, "text/html; charset=utf-8"},
    {"\074\110\061\076", 4, "text/html; charset=utf-8"},
    {"\000\000\000\000\146\164\171\160\155\160\064\062", 12, "application/octet-stream"},
};

static void types_are_those_that_gos_server_finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("case %zu: %s\n", i, cases[i].want);
        assert_string_equal(
            wd_sniff_type((struct faas_str){.ptr = cases[i].bytes, .len = cases[i].len}),
            cases[i].want);
    }
}

static void only_the_first_512_bytes_are_looked_at(void **state)
{
    char body[513];

    (void)state;
    memset(body, 'a', sizeof(body));
    body[512] = '\0';
    assert_string_equal(wd_sniff_type((struct faas_str){.ptr = body, .len = 513}),
                        "text/plain; charset=utf-8");
    body[511] = '\0';
    assert_string_equal(wd_sniff_type((struct faas_str){.ptr = body, .len = 513}),
                        "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_those_that_gos_server_finds),
        cmocka_unit_test(only_the_first_512_bytes_are_looked_at),
    };
    return cmocka_run_group_tests_name("wd_sniff", tests, NULL, NULL);
}
