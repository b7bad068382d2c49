-- What wrk found out, as one line of JSON. Percentiles are wrk's own, in microseconds.
done = function(summary, latency)
  local told = {}
  for _, percent in ipairs({50, 90, 95, 99}) do
    told[#told + 1] = string.format('"%d": %d', percent, latency:percentile(percent))
  end
  io.write(string.format('{"requests": %d, "microseconds": %d, "failed": %d, "max": %d, "percentiles": {%s}}\n',
    summary.requests, summary.duration, summary.errors.status + summary.errors.timeout + summary.errors.read,
    latency.max, table.concat(told, ", ")))
end

-- Milliseconds between an answer and the next request of a connection, where asked for.
local pause = tonumber(os.getenv("WRK_PAUSE_MS") or "")
if pause then
  delay = function() return pause end
end
