/* Digests, MACs, hex and random bytes, over libcrypto. */
#ifndef FAAS_CRYPTO_H
#define FAAS_CRYPTO_H

#include "libfaas/buf.h"

void faas_hex(char *out, const void *p, size_t n); /* 2n characters and a NUL */
void faas_sha256_hex(const void *p, size_t n, char out[65]);
/* Digest of a file's content from its current position; reads in pieces. */
FAAS_NODISCARD int faas_sha256_fd(int fd, char out[65], struct faas_error *err);
/* SHA-1 and MD5 name things for others; they prove nothing. */
void faas_sha1_hex(const void *p, size_t n, char out[41]);
void faas_md5_hex(const void *p, size_t n, char out[33]);
void faas_hmac_sha256_hex(struct faas_str key, struct faas_str data, char out[65]);
/* True when equal; takes the same time wherever they differ. The lengths are not kept secret:
 * compare digests where they matter. */
bool faas_equal_constant_time(struct faas_str a, struct faas_str b);
void faas_random_bytes(void *p, size_t n); /* getrandom(); aborts if the kernel has none */
/* n characters of [A-Za-z0-9], each equally likely; out has n + 1. */
void faas_random_password(char *out, size_t n);
/* RFC 4122 version 4, from a per-thread stock of the kernel's random bytes (4 KiB at a time). A
 * forked copy of a process would hand out the same ids: fork only to execute. */
void faas_uuid(char out[37]);

#endif
