/* HTTP basic auth against credentials kept in two files, as OpenFaaS lays them
 * out: <dir>/basic-auth-user and <dir>/basic-auth-password, surrounding whitespace ignored. */
#ifndef FAAS_AUTH_H
#define FAAS_AUTH_H

#include "libfaas/cleanup.h"
#include "libfaas/str.h"

struct faas_credentials; /* immutable once loaded; any thread */

/* Reads both files. NOT_FOUND when one is missing; INVALID when one is empty or the user has a
 * colon; names the file. */
struct faas_credentials *faas_credentials_load(const char *dir, struct faas_error *err);
/* Makes user "admin" and a random password of 40 characters in dir (0700, files 0600, fsynced,
 * never overwriting: one that is there stays). *created tells whether it had to make one. */
FAAS_NODISCARD int faas_credentials_ensure(const char *dir, bool *created, struct faas_error *err);
void faas_credentials_free(struct faas_credentials *c); /* wipes the password */
FAAS_DEFINE_CLEANUP(struct faas_credentials *, faas_credentials_free);
const char *faas_credentials_user(const struct faas_credentials *c);
const char *faas_credentials_password(const struct faas_credentials *c);

/* Whether this Authorization value matches; constant time in the secret's content. */
bool faas_basic_auth_check(const struct faas_credentials *c, struct faas_str authorization);
/* "Basic …" for a client. Heap. */
char *faas_basic_auth_header(const char *user, const char *password);

#endif
