#include "gateway/calling.h"

int64_t gw_inflight_limit(const struct gw_config *cfg, const struct faas_fn *fn)
{
    const char *text = faas_map_get(&fn->annotations, "com.openfaas.max_inflight");
    uint64_t limit;

    if (text && faas_parse_u64(faas_str_from(text), &limit, NULL) == 0 && limit <= INT64_MAX)
        return (int64_t)limit;
    return cfg->max_inflight;
}

int64_t gw_call_timeout_ms(const struct gw_config *cfg, const struct faas_fn *fn)
{
    /* The function's own limit fires first, so that its explanation is what the caller sees. */
    return FAAS_MAX(cfg->upstream_timeout_ms,
                    fn->exec_timeout_ms > 0 ? fn->exec_timeout_ms + 1000 : 0);
}

static const char *broken_text(enum faas_http_phase phase)
{
    switch (phase) {
    case FAAS_PHASE_CONNECT:
        return "the function cannot be reached";
    case FAAS_PHASE_SEND:
        return "the function closed the connection while it was being sent the request";
    case FAAS_PHASE_HEAD:
        return "the function closed the connection before it answered";
    default:
        return "the function broke off its answer";
    }
}

void gw_explain_no_answer(struct faas_error *out, const struct gw_config *cfg, int64_t timeout_ms,
                          enum faas_http_phase phase, const struct faas_error *cause)
{
    char limit[32];

    if (cause->code == FAAS_ERR_TIMEOUT && phase == FAAS_PHASE_CONNECT) {
        faas_format_go_duration(cfg->connect_timeout_ms * 1000000, limit);
        faas_fail(out, FAAS_ERR_TIMEOUT, "no connection to the function within connect_timeout=%s",
                  limit);
    } else if (cause->code == FAAS_ERR_TIMEOUT) {
        faas_format_go_duration(timeout_ms * 1000000, limit);
        faas_fail(out, FAAS_ERR_TIMEOUT,
                  "the function did not answer within %s (upstream_timeout, or its exec_timeout if "
                  "longer)",
                  limit);
    } else {
        faas_fail(out, FAAS_ERR_BAD_GATEWAY, "%s: %s", broken_text(phase), cause->msg);
    }
}
