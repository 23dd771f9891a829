#include "gateway/metrics_server.h"

#include "gateway/shard.h"
#include "libfaas/http_server.h"

#define BACKLOG    64
#define SCRAPERS   64
#define TIMEOUT_MS 10000

static void text(struct faas_http_req *req, int status, const char *type, struct faas_str body)
{
    const struct faas_http_header header = {FAAS_STR("Content-Type"), faas_str_from(type)};

    faas_http_reply(req, status, &header, 1, body);
}

static void on_request(void *arg, struct faas_http_req *req)
{
    struct gw *gw = arg;
    const struct faas_http_head *head = faas_http_req_head(req);
    _cleanup_buf_ struct faas_buf out = {0};

    if (faas_str_eqz(head->path, "/metrics")) {
        faas_metrics_text(gw->metrics, &out);
        text(req, 200, FAAS_METRICS_CONTENT_TYPE, faas_buf_str(&out));
    } else if (faas_str_eqz(head->path, "/healthz")) {
        text(req, 200, "text/plain; charset=utf-8", FAAS_STR("OK"));
    } else {
        text(req, 404, "text/plain; charset=utf-8", FAAS_STR("there is /metrics and /healthz\n"));
    }
}

int gw_metrics_server_open(struct gw *gw, struct faas_error *err)
{
    const struct gw_config *cfg = gw->cfg;
    int fd;

    if (cfg->metrics_port < 0)
        return 0;
    fd = faas_listen(cfg->metrics_address, (unsigned)cfg->metrics_port, BACKLOG, false, err);
    if (fd < 0)
        return faas_error_wrap(err, "metrics_address, metrics_port");
    gw->metrics_port = faas_socket_port(fd);
    gw->metrics_server = faas_http_server_new(gw->shards[0]->loop,
                                              &(struct faas_http_server_opts){
                                                  .listen_fd = fd,
                                                  .header_limit = 16 * 1024,
                                                  .max_connections = SCRAPERS,
                                                  .read_timeout_ms = TIMEOUT_MS,
                                                  .write_timeout_ms = TIMEOUT_MS,
                                                  .error_component = "gateway",
                                                  .log = &gw->log,
                                                  .on_request = on_request,
                                                  .arg = gw,
                                              },
                                              err);
    return gw->metrics_server ? 0 : -1;
}

void gw_metrics_server_close(struct gw *gw)
{
    if (gw->metrics_server)
        faas_http_server_free(gw->metrics_server);
    gw->metrics_server = NULL;
}
