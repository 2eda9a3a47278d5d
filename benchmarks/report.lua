-- The last line of wrk's output, for machines. Its latencies are in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"errors": %d, "requests": %d, "per_second": %.1f, "median_ms": %.2f, "p99_ms": %.2f}\n',
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, summary.requests,
    summary.requests / (summary.duration / 1000000),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
