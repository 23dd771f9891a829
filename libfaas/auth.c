#include "libfaas/auth.h"

#include "libfaas/alloc.h"
#include "libfaas/base64.h"
#include "libfaas/crypto.h"
#include "libfaas/file.h"

#define USER_FILE     "basic-auth-user"
#define PASSWORD_FILE "basic-auth-password"
#define MAX_SECRET    4096
#define PASSWORD_LEN  40

/* Comparing digests hides the lengths too. */
struct faas_credentials {
    char *user;
    char *password;
    char user_digest[65];
    char password_digest[65];
};

static char *read_secret(const char *dir, const char *name, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_str value;

    if (faas_file_read(path, MAX_SECRET, &text, err) < 0)
        return NULL;
    value = faas_str_trim(faas_buf_str(&text));
    if (value.len == 0) {
        faas_fail(err, FAAS_ERR_INVALID, "%s: is empty", path);
        return NULL;
    }
    if (memchr(value.ptr, '\0', value.len)) {
        faas_fail(err, FAAS_ERR_INVALID, "%s: holds a NUL byte", path);
        return NULL;
    }
    return faas_str_dup(value);
}

static void digest(const char *s, size_t n, char out[65])
{
    faas_sha256_hex(s, n, out);
}

struct faas_credentials *faas_credentials_load(const char *dir, struct faas_error *err)
{
    struct faas_credentials *c = faas_new(struct faas_credentials);

    c->user = read_secret(dir, USER_FILE, err);
    if (!c->user)
        goto fail;
    if (strchr(c->user, ':')) {
        faas_fail(err, FAAS_ERR_INVALID, "%s/" USER_FILE ": a user name cannot hold a colon", dir);
        goto fail;
    }
    c->password = read_secret(dir, PASSWORD_FILE, err);
    if (!c->password)
        goto fail;
    digest(c->user, strlen(c->user), c->user_digest);
    digest(c->password, strlen(c->password), c->password_digest);
    return c;
fail:
    faas_credentials_free(c);
    return NULL;
}

/* Whoever was first wins, be it another process at this moment. */
static int ensure_file(const char *dir, const char *name, const char *value, bool *created,
                       struct faas_error *err)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, name);
    struct faas_error why = {0};

    if (faas_file_exists(path))
        return 0;
    if (faas_file_create(path, faas_str_from(value), 0600, &why) == 0) {
        *created = true;
        return 0;
    }
    if (why.code == FAAS_ERR_CONFLICT)
        return 0;
    if (err)
        *err = why;
    return -1;
}

int faas_credentials_ensure(const char *dir, bool *created, struct faas_error *err)
{
    char password[PASSWORD_LEN + 1];
    int rc;

    *created = false;
    if (faas_mkdirs(dir, 0700, err) < 0)
        return -1;
    rc = ensure_file(dir, USER_FILE, "admin", created, err);
    if (rc == 0) {
        faas_random_password(password, PASSWORD_LEN);
        rc = ensure_file(dir, PASSWORD_FILE, password, created, err);
        explicit_bzero(password, sizeof(password));
    }
    return rc < 0 ? faas_error_wrap(err, "make credentials") : 0;
}

void faas_credentials_free(struct faas_credentials *c)
{
    if (!c)
        return;
    free(c->user);
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(c->password);
    free(c);
}

const char *faas_credentials_user(const struct faas_credentials *c)
{
    return c->user;
}

const char *faas_credentials_password(const struct faas_credentials *c)
{
    return c->password;
}

static bool same_digest(const char *a, const char *b)
{
    return faas_equal_constant_time(faas_str_from(a), faas_str_from(b));
}

bool faas_basic_auth_check(const struct faas_credentials *c, struct faas_str authorization)
{
    _cleanup_buf_ struct faas_buf pair = {0};
    struct faas_str rest = faas_str_trim(authorization);
    char user[65], password[65];
    ptrdiff_t colon;
    bool user_ok, password_ok;

    if (!faas_str_istarts(rest, FAAS_STR("Basic ")))
        return false;
    rest = faas_str_trim((struct faas_str){.ptr = rest.ptr + 6, .len = rest.len - 6});
    if (faas_base64_decode(&pair, rest, NULL) < 0)
        return false;
    colon = faas_str_find(faas_buf_str(&pair), ':');
    if (colon < 0)
        return false;
    digest(pair.data, (size_t)colon, user);
    digest(pair.data + colon + 1, pair.len - (size_t)colon - 1, password);
    explicit_bzero(pair.data, pair.len);
    user_ok = same_digest(user, c->user_digest);
    password_ok = same_digest(password, c->password_digest);
    return user_ok & password_ok; /* both always looked at */
}

char *faas_basic_auth_header(const char *user, const char *password)
{
    _cleanup_free_ char *pair = faas_asprintf("%s:%s", user, password);
    _cleanup_buf_ struct faas_buf header = {0};

    faas_buf_append_z(&header, "Basic ");
    faas_base64_encode(&header, pair, strlen(pair));
    explicit_bzero(pair, strlen(pair));
    return faas_buf_steal(&header);
}
