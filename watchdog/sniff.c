#include "watchdog/sniff.h"

#include "libfaas/macros.h"

#define SNIFF_LEN 512

#define HTML "text/html; charset=utf-8"

static const char *const html_tags[] = {
    "<!DOCTYPE HTML", "<HTML", "<HEAD",  "<SCRIPT", "<IFRAME", "<H1",   "<DIV", "<FONT",
    "<TABLE",         "<A",    "<STYLE", "<TITLE",  "<B",      "<BODY", "<BR",  "<P",
    "<!--",
};

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* An ftyp box whose major or one of whose compatible brands begins with "mp4". */
static bool is_mp4(struct faas_str body)
{
    uint32_t box;

    if (body.len < 12)
        return false;
    box = be32(body.ptr);
    if (body.len < box || box % 4 != 0 || memcmp(body.ptr + 4, "ftyp", 4) != 0)
        return false;
    for (uint32_t at = 8; at + 4 <= box; at += 4) {
        if (at == 12) /* the minor version is no brand */
            continue;
        if (memcmp(body.ptr + at, "mp4", 3) == 0)
            return true;
    }
    return false;
}

struct signature {
    bool (*test)(struct faas_str body); /* NULL: the bytes below */
    struct faas_str bytes;
    struct faas_str then; /* must follow at then_at; empty: nothing more */
    size_t then_at;
    const char *type;
};

#define SIG(lit, mime)                              \
    {                                               \
        .bytes = FAAS_STR_INIT(lit), .type = (mime) \
    }
#define SIG2(lit, at, lit2, mime)                                                                 \
    {                                                                                             \
        .bytes = FAAS_STR_INIT(lit), .then = FAAS_STR_INIT(lit2), .then_at = (at), .type = (mime) \
    }

/* In the standard's order; where two could fit, the first one counts. */
static const struct signature signatures[] = {
    SIG("%PDF-", "application/pdf"),
    SIG("%!PS-Adobe-", "application/postscript"),
    SIG("\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    SIG("\0\0\1\0", "image/x-icon"),
    SIG("\0\0\2\0", "image/x-icon"),
    SIG("BM", "image/bmp"),
    SIG("GIF87a", "image/gif"),
    SIG("GIF89a", "image/gif"),
    SIG2("RIFF", 8, "WEBPVP", "image/webp"),
    SIG("\x89PNG\x0D\x0A\x1A\x0A", "image/png"),
    SIG("\xFF\xD8\xFF", "image/jpeg"),
    SIG2("FORM", 8, "AIFF", "audio/aiff"),
    SIG("ID3", "audio/mpeg"),
    SIG("OggS\0", "application/ogg"),
    SIG("MThd\0\0\0\6", "audio/midi"),
    SIG2("RIFF", 8, "AVI ", "video/avi"),
    SIG2("RIFF", 8, "WAVE", "audio/wave"),
    {.test = is_mp4, .type = "video/mp4"},
    SIG("\x1A\x45\xDF\xA3", "video/webm"),
    SIG2("", 34, "LP", "application/vnd.ms-fontobject"),
    SIG("\0\1\0\0", "font/ttf"),
    SIG("OTTO", "font/otf"),
    SIG("ttcf", "font/collection"),
    SIG("wOFF", "font/woff"),
    SIG("wOF2", "font/woff2"),
    SIG("\x1F\x8B\x08", "application/x-gzip"),
    SIG("PK\3\4", "application/zip"),
    SIG("Rar!\x1A\7\0", "application/x-rar-compressed"),
    SIG("Rar!\x1A\7\1\0", "application/x-rar-compressed"),
    SIG("\0asm", "application/wasm"),
};

static struct faas_str skip_blanks(struct faas_str s)
{
    while (s.len && strchr("\t\n\f\r ", s.ptr[0]) && s.ptr[0])
        s = (struct faas_str){.ptr = s.ptr + 1, .len = s.len - 1};
    return s;
}

/* A tag counts only when its name ends there: "<a " and "<a>", not "<abc". */
static bool is_html(struct faas_str text)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(html_tags); i++) {
        struct faas_str tag = faas_str_from(html_tags[i]);

        if (text.len > tag.len && faas_str_istarts(text, tag) &&
            (text.ptr[tag.len] == ' ' || text.ptr[tag.len] == '>'))
            return true;
    }
    return false;
}

static bool fits(const struct signature *s, struct faas_str body)
{
    struct faas_str rest;

    if (s->test)
        return s->test(body);
    if (!faas_str_starts(body, s->bytes))
        return false;
    if (!s->then.len)
        return true;
    if (body.len < s->then_at)
        return false;
    rest = (struct faas_str){.ptr = body.ptr + s->then_at, .len = body.len - s->then_at};
    return faas_str_starts(rest, s->then);
}

static const char *utf16_type(struct faas_str body)
{
    if (body.len < 4)
        return NULL;
    if (memcmp(body.ptr, "\xFE\xFF", 2) == 0)
        return "text/plain; charset=utf-16be";
    if (memcmp(body.ptr, "\xFF\xFE", 2) == 0)
        return "text/plain; charset=utf-16le";
    return NULL;
}

static bool is_text(struct faas_str body)
{
    for (size_t i = 0; i < body.len; i++) {
        unsigned char c = (unsigned char)body.ptr[i];

        if (c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1A) || (c >= 0x1C && c <= 0x1F))
            return false;
    }
    return true;
}

const char *wd_sniff_type(struct faas_str body)
{
    struct faas_str text;
    const char *utf16;

    body.len = FAAS_MIN(body.len, (size_t)SNIFF_LEN);
    text = skip_blanks(body);
    if (is_html(text))
        return HTML;
    if (faas_str_starts(text, FAAS_STR("<?xml")))
        return "text/xml; charset=utf-8";
    utf16 = utf16_type(body);
    if (utf16)
        return utf16;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(signatures); i++)
        if (fits(&signatures[i], body))
            return signatures[i].type;
    return is_text(body) ? "text/plain; charset=utf-8" : "application/octet-stream";
}
