/* An upstream that plays by script: a listening socket on a free port of 127.0.0.1 and a thread for
 * each connection, which runs the test's own blocking code. */
#ifndef FAAS_TESTS_FAKES_UPSTREAM_H
#define FAAS_TESTS_FAKES_UPSTREAM_H

#include "libfaas/buf.h"
#include "libfaas/net.h"

struct fake_upstream;

struct fake_conn {
    struct fake_upstream *upstream;
    int fd;
    unsigned nth; /* 0 for the first connection */
    void *arg;
    struct faas_buf in; /* read and not used yet */
    size_t last_read;   /* what the last recv() brought */
};

/* serve runs for each connection, which is closed when it returns. */
struct fake_upstream *fake_upstream_new(void (*serve)(struct fake_conn *c), void *arg);
void fake_upstream_free(struct fake_upstream *u); /* cuts what is open and waits for its threads */
const struct faas_addr *fake_upstream_addr(const struct fake_upstream *u);
unsigned fake_upstream_accepted(struct fake_upstream *u);
unsigned fake_upstream_open(struct fake_upstream *u);

/* Reads one request, body included. head is up to and with the empty line, body what stands on the
 * wire (chunks with their frames). False when the peer closed. The caller frees both. */
bool fake_read_request(struct fake_conn *c, struct faas_buf *head, struct faas_buf *body);
bool fake_read_head(struct fake_conn *c, struct faas_buf *head);
/* Moves exactly n bytes. False when the peer closed. */
bool fake_read(struct fake_conn *c, struct faas_buf *out, size_t n);
bool fake_read_until(struct fake_conn *c, struct faas_buf *out, const char *end);
bool fake_wait_closed(
    struct fake_conn *c); /* reads until the peer closes; true: it had said nothing */
void fake_send(struct fake_conn *c, struct faas_str data);
void fake_send_z(struct fake_conn *c, const char *z);
void fake_reset(struct fake_conn *c); /* the peer will see ECONNRESET */

#endif
