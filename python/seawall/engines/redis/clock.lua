-- Before every script: the server's time in whole microseconds, and numbers as text (tostring loses digits).
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local function str(number) return string.format('%.0f', number) end
