-- Sends $BENCH_BYTES bytes (if any) and prints one line of JSON at the end.
local bytes = tonumber(os.getenv("BENCH_BYTES") or "0")
if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", bytes)
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
