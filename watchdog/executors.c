#include "watchdog/executor.h"

const struct wd_executor_ops *const wd_executors[WD_N_MODES] = {
    [WD_CLASSIC] = &wd_classic_executor,         [WD_STREAMING] = &wd_streaming_executor,
    [WD_SERIALIZING] = &wd_serializing_executor, [WD_HTTP] = &wd_http_executor,
    [WD_STATIC] = &wd_static_executor,
};
