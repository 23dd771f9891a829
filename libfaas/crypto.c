#include "libfaas/crypto.h"

#include "libfaas/alloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/random.h>

/* For what cannot fail on a working system, and must not be continued without. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fatal: %s failed\n", what);
    abort();
}

void faas_hex(char *out, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = p;

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[in[i] >> 4];
        *out++ = digits[in[i] & 15];
    }
    *out = '\0';
}

static void digest_hex(const EVP_MD *md, const void *p, size_t n, char *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    must(EVP_Digest(n ? p : "", n, digest, &len, md, NULL) == 1, "EVP_Digest");
    faas_hex(out, digest, len);
}

void faas_sha256_hex(const void *p, size_t n, char out[65])
{
    digest_hex(EVP_sha256(), p, n, out);
}

void faas_sha1_hex(const void *p, size_t n, char out[41])
{
    digest_hex(EVP_sha1(), p, n, out);
}

void faas_md5_hex(const void *p, size_t n, char out[33])
{
    digest_hex(EVP_md5(), p, n, out);
}

static void md_ctx_free(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

int faas_sha256_fd(int fd, char out[65], struct faas_error *err)
{
    _cleanup_(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    char piece[65536];
    unsigned len = 0;

    must(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1, "EVP_DigestInit");
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read");
        if (n == 0)
            break;
        must(EVP_DigestUpdate(ctx, piece, (size_t)n) == 1, "EVP_DigestUpdate");
    }
    must(EVP_DigestFinal_ex(ctx, digest, &len) == 1, "EVP_DigestFinal");
    faas_hex(out, digest, len);
    return 0;
}

void faas_hmac_sha256_hex(struct faas_str key, struct faas_str data, char out[65])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    must(key.len <= INT32_MAX &&
             HMAC(EVP_sha256(), key.len ? key.ptr : "", (int)key.len,
                  (const unsigned char *)(data.len ? data.ptr : ""), data.len, mac, &len),
         "HMAC");
    faas_hex(out, mac, len);
}

bool faas_equal_constant_time(struct faas_str a, struct faas_str b)
{
    return a.len == b.len && CRYPTO_memcmp(a.len ? a.ptr : "", b.len ? b.ptr : "", a.len) == 0;
}

void faas_random_bytes(void *p, size_t n)
{
    char *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0, "getrandom");
        at += got;
        n -= (size_t)got;
    }
}

void faas_random_password(char *out, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned count = sizeof(letters) - 1;
    size_t done = 0;

    while (done < n) {
        unsigned char bytes[64];

        faas_random_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes) && done < n; i++) {
            if (bytes[i] < 256 / count * count) /* else the first letters would be likelier */
                out[done++] = letters[bytes[i] % count];
        }
        OPENSSL_cleanse(bytes, sizeof(bytes));
    }
    out[n] = '\0';
}

/* One system call for 256 ids. */
struct random_stock {
    unsigned char bytes[4096];
    size_t left;
};

void faas_uuid(char out[37])
{
    static _Thread_local struct random_stock stock;
    unsigned char id[16];
    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    const unsigned char *from = id;

    if (stock.left == 0) {
        faas_random_bytes(stock.bytes, sizeof(stock.bytes));
        stock.left = sizeof(stock.bytes);
    }
    stock.left -= sizeof(id);
    memcpy(id, stock.bytes + stock.left, sizeof(id));
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof(groups); i++) {
        faas_hex(out, from, groups[i]);
        out += 2 * groups[i];
        from += groups[i];
        *out++ = i + 1 < sizeof(groups) ? '-' : '\0';
    }
}
