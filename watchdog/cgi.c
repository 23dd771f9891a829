#include "watchdog/cgi.h"

#include "libfaas/alloc.h"
#include "watchdog/header_name.h"

#include <stdio.h>

#define PREFIX     "Http_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

/* Method, Transfer_Encoding, Query, Path, Host and the two spellings of the length. */
#define N_FROM_LINE 7

static bool is_ours(const char *entry)
{
    static const char *const names[] = {"LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES="};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

void wd_base_env_init(struct wd_base_env *base, char *const *env_vars)
{
    size_t n = 0;

    while (env_vars[n])
        n++;
    *base = (struct wd_base_env){
        .all = faas_reallocarray(NULL, n + 1, sizeof(char *)),
        .plain = faas_reallocarray(NULL, n + 1, sizeof(char *)),
        .http = faas_reallocarray(NULL, n + 1, sizeof(char *)),
    };
    n = 0;
    for (; *env_vars; env_vars++) {
        if (is_ours(*env_vars))
            continue;
        base->all[n++] = *env_vars;
        if (strncmp(*env_vars, PREFIX, PREFIX_LEN) == 0)
            base->http[base->n_http++] = *env_vars;
        else
            base->plain[base->n_plain++] = *env_vars;
    }
    base->all[n] = NULL;
}

void wd_base_env_deinit(struct wd_base_env *base)
{
    free(base->all);
    free(base->plain);
    free(base->http);
    *base = (struct wd_base_env){0};
}

/* One variable of the request, found again by its name. */
struct var {
    char *entry; /* "Http_Name=value"; NULL: free slot */
    size_t name_len;
    size_t at; /* in envp */
    bool weak; /* from a header with '_' in its name */
};

struct builder {
    struct faas_arena *arena;
    char **envp;
    size_t n;
    struct var *vars; /* open addressing */
    size_t mask;
};

static uint32_t hash(const char *p, size_t n)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 16777619u;
    return h;
}

/* The slot that holds this name, or the free one where it belongs. */
static struct var *find(const struct builder *b, const char *entry, size_t name_len)
{
    size_t at = hash(entry, name_len) & b->mask;

    while (b->vars[at].entry &&
           (b->vars[at].name_len != name_len || memcmp(b->vars[at].entry, entry, name_len) != 0))
        at = (at + 1) & b->mask;
    return &b->vars[at];
}

static void put(struct builder *b, struct var *slot, char *entry, size_t name_len, bool weak)
{
    size_t at = slot->entry ? slot->at : b->n++;

    *slot = (struct var){.entry = entry, .name_len = name_len, .at = at, .weak = weak};
    b->envp[at] = entry;
}

static char *make_entry(struct builder *b, struct faas_str name, struct faas_str value)
{
    char *entry = faas_arena_alloc(b->arena, PREFIX_LEN + name.len + 1 + value.len + 1);
    char *to = entry + PREFIX_LEN;

    memcpy(entry, PREFIX, PREFIX_LEN);
    memcpy(to, name.ptr, name.len);
    to[name.len] = '=';
    if (value.len)
        memcpy(to + name.len + 1, value.ptr, value.len);
    to[name.len + 1 + value.len] = '\0';
    return entry;
}

/* From the request line: beats whatever a header of that name said. */
static void add_from_line(struct builder *b, struct faas_str name, struct faas_str value)
{
    char *entry = make_entry(b, name, value);
    size_t name_len = PREFIX_LEN + name.len;

    put(b, find(b, entry, name_len), entry, name_len, false);
}

static void add_header(struct builder *b, const struct faas_http_header *h)
{
    char *entry = make_entry(b, h->name, h->value);
    size_t name_len = PREFIX_LEN + h->name.len;
    bool weak = memchr(h->name.ptr, '_', h->name.len) != NULL;
    struct var *slot;

    wd_canonical_name(entry + PREFIX_LEN, h->name);
    for (size_t i = PREFIX_LEN; i < name_len; i++)
        if (entry[i] == '-')
            entry[i] = '_';
    slot = find(b, entry, name_len);
    if (!slot->entry || (slot->weak && !weak))
        put(b, slot, entry, name_len, weak);
}

static bool can_be_header_var(const struct faas_http_header *h)
{
    return !wd_header_is_hidden(h->name) && !faas_str_ieq(h->name, FAAS_STR("Proxy")) &&
           h->name.len > 0 && !memchr(h->name.ptr, '=', h->name.len);
}

static bool has_nul(struct faas_str s)
{
    return s.len && memchr(s.ptr, '\0', s.len) != NULL;
}

static int add_headers(struct builder *b, const struct wd_cgi_request *req, struct faas_error *err)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct faas_http_header *h = &req->headers[i];

        if (!can_be_header_var(h))
            continue;
        if (has_nul(h->name) || has_nul(h->value))
            return faas_fail(err, FAAS_ERR_INVALID, "header contains NUL");
        add_header(b, h);
    }
    return 0;
}

struct target {
    struct faas_str authority; /* of an absolute URL; else empty */
    struct faas_str path;      /* raw */
    struct faas_str query;     /* raw */
};

static struct faas_str skip(struct faas_str s, size_t n)
{
    return (struct faas_str){.ptr = s.ptr + n, .len = s.len - n};
}

static void split_target(struct faas_str raw, struct target *t)
{
    static const struct faas_str schemes[] = {FAAS_STR_INIT("http://"), FAAS_STR_INIT("https://")};
    ptrdiff_t question;

    *t = (struct target){0};
    for (size_t i = 0; i < FAAS_ARRAY_LEN(schemes); i++) {
        size_t end = 0;

        if (!faas_str_istarts(raw, schemes[i]))
            continue;
        raw = skip(raw, schemes[i].len);
        while (end < raw.len && raw.ptr[end] != '/' && raw.ptr[end] != '?')
            end++;
        t->authority = (struct faas_str){.ptr = raw.ptr, .len = end};
        t->authority = skip(t->authority, (size_t)(faas_str_rfind(t->authority, '@') + 1));
        raw = skip(raw, end);
        break;
    }
    question = faas_str_find(raw, '?');
    t->path = raw;
    if (question >= 0) {
        t->path.len = (size_t)question;
        t->query = skip(raw, (size_t)question + 1);
    }
}

static int add_target(struct builder *b, const struct wd_cgi_request *req, struct faas_error *err)
{
    struct faas_str host = faas_http_value(req->headers, req->n_headers, FAAS_STR("Host"));
    struct faas_str path = {0};
    struct target t;

    split_target(req->target, &t);
    if (t.path.len && !faas_url_decode(b->arena, t.path, &path))
        return faas_fail(err, FAAS_ERR_INVALID, "invalid URL escape in path");
    if (has_nul(path))
        return faas_fail(err, FAAS_ERR_INVALID, "path contains NUL");
    if (t.authority.len)
        host = t.authority;
    if (has_nul(host) || has_nul(t.query))
        return faas_fail(err, FAAS_ERR_INVALID, "request contains NUL");
    if (t.query.len)
        add_from_line(b, FAAS_STR("Query"), t.query);
    if (path.len)
        add_from_line(b, FAAS_STR("Path"), path);
    if (host.len && req->family == WD_CLASSIC_WATCHDOG)
        add_from_line(b, FAAS_STR("Host"), host);
    return 0;
}

static void add_length(struct builder *b, const struct wd_cgi_request *req)
{
    char text[24];
    struct faas_str value = {.ptr = text};

    value.len = (size_t)snprintf(text, sizeof(text), "%lld", (long long)req->content_length);
    if (req->family == WD_CLASSIC_WATCHDOG) {
        add_from_line(b, FAAS_STR("ContentLength"), value);
        add_from_line(b, FAAS_STR("Content_Length"), value);
    }
    if (req->content_length < 0)
        add_from_line(b, FAAS_STR("Transfer_Encoding"), FAAS_STR("chunked"));
}

static void add_presets(struct builder *b, const struct wd_base_env *base)
{
    for (size_t i = 0; i < base->n_http; i++) {
        const char *equals = strchr(base->http[i], '=');

        if (equals && !find(b, base->http[i], (size_t)(equals - base->http[i]))->entry)
            b->envp[b->n++] = base->http[i];
    }
}

static void builder_init(struct builder *b, const struct wd_base_env *base,
                         struct faas_arena *arena, size_t n_vars)
{
    size_t slots = 32;

    while (slots < 2 * n_vars)
        slots *= 2;
    *b = (struct builder){.arena = arena, .mask = slots - 1};
    b->vars = faas_arena_zalloc(arena, slots * sizeof(*b->vars));
    b->envp = faas_arena_alloc(arena, (base->n_plain + base->n_http + n_vars + 1) * sizeof(char *));
    memcpy(b->envp, base->plain, base->n_plain * sizeof(char *));
    b->n = base->n_plain;
}

char **wd_cgi_env(const struct wd_base_env *base, struct faas_arena *arena,
                  const struct wd_cgi_request *req, struct faas_error *err)
{
    struct builder b;

    if (has_nul(req->method)) {
        faas_fail(err, FAAS_ERR_INVALID, "method contains NUL");
        return NULL;
    }
    builder_init(&b, base, arena, req->n_headers + N_FROM_LINE);
    if (add_headers(&b, req, err) < 0 || add_target(&b, req, err) < 0)
        return NULL;
    add_from_line(&b, FAAS_STR("Method"), req->method);
    add_length(&b, req);
    add_presets(&b, base);
    b.envp[b.n] = NULL;
    return b.envp;
}
