-- Sends $BENCH_BODY (if any) and prints one line of JSON at the end.
local body = os.getenv("BENCH_BODY")
if body then
    wrk.method = "POST"
    wrk.body = body
    wrk.headers["Content-Type"] = "text/plain"
end
wrk.headers["User-Agent"] = "minnow-bench"
wrk.headers["Accept"] = "*/*"

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        '\nBENCH {"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,"errors":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3,
        e.connect + e.read + e.write + e.status + e.timeout))
end
