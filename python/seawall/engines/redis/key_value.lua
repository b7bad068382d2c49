-- One operation on the keys of a namespace: ARGV is its name, the bounds of the history, and its arguments.
local META, ENTRIES, NAMES, HISTORY, LEASES, BOUND = unpack(KEYS)
local MOST, MOST_BYTES = tonumber(ARGV[2]), tonumber(ARGV[3])
local LOST, MOST_CHANGES, MOST_REPLY_BYTES, PAGE = -1, 1000, 4000000, 50
-- Trimmed a page at a time: one by one would double the cost of a change.
local TRIMMED = math.min(PAGE, math.floor(MOST / 10))

local function meta(field) return tonumber(redis.call('HGET', META, field) or 0) end

-- Never below the time: a number is not used again even when the server has lost data.
local function after(last) return math.max(tonumber(last or 0) + 1, now) end

-- What the history then has in bytes, and the last revision it no longer has.
local function trim(bytes)
  local count, told_from = redis.call('XLEN', HISTORY), nil
  while count > MOST + TRIMMED or (bytes > MOST_BYTES and count > 1) do
    for _, oldest in ipairs(redis.call('XRANGE', HISTORY, '-', '+', 'COUNT', math.max(1, count - MOST))) do
      count = count - 1
      bytes = bytes - #oldest[2][2] - #(oldest[2][4] or '')
      told_from = string.match(oldest[1], '^%d+')
    end
    redis.call('XTRIM', HISTORY, 'MAXLEN', count)
  end
  return bytes, told_from
end

local function record(key, value)
  local known = redis.call('HMGET', META, 'tick', 'bytes')
  local revision = str(after(known[1]))
  -- It wakes the watches that sleep, too; they then see what changed, and which lease ends next.
  if value then
    redis.call('XADD', HISTORY, revision .. '-0', 'k', key, 'v', value)
  else
    redis.call('XADD', HISTORY, revision .. '-0', 'k', key)
  end
  local bytes, told_from = trim(tonumber(known[2] or 0) + #key + #(value or ''))
  if told_from then
    redis.call('HSET', META, 'tick', revision, 'revision', revision, 'bytes', str(bytes), 'told_from', told_from)
  else
    redis.call('HSET', META, 'tick', revision, 'revision', revision, 'bytes', str(bytes))
  end
  return tonumber(revision)
end

-- An entry is "revision, length of the lease, the lease and the value": one field to write and to read.
local function entry(key)
  local found = redis.call('HGET', ENTRIES, key)
  if not found then return 0, '' end
  local revision, length, from = string.match(found, '^(%d+) (%d+) ()')
  from = from + tonumber(length)
  return tonumber(revision), string.sub(found, from - tonumber(length), from - 1), string.sub(found, from), found
end

local function store(key, value, lease, revision)
  redis.call('HSET', ENTRIES, key, str(revision) .. ' ' .. #lease .. ' ' .. lease .. value)
  redis.call('ZADD', NAMES, 0, key)
end

-- The key that a lease was made with, which its name says; other keys that are bound to it are in a set.
local function own(lease) return string.match(lease, '^%d+%-%d+%-(.*)$') end

local function bind(key, lease)
  if lease ~= '' and own(lease) ~= key then redis.call('ZADD', BOUND, 0, lease .. '\0' .. key) end
end

local function unbind(key, lease)
  if lease ~= '' and own(lease) ~= key then redis.call('ZREM', BOUND, lease .. '\0' .. key) end
end

-- A deletion comes first, which a server that is out of memory allows; then it allows the rest of the script.
local function remove(key, lease)
  redis.call('HDEL', ENTRIES, key)
  redis.call('ZREM', NAMES, key)
  unbind(key, lease)
  return record(key, nil)
end

local function finish(lease)
  local key = own(lease)
  if key and select(2, entry(key)) == lease then remove(key, lease) end
  local bound = redis.call('ZRANGEBYLEX', BOUND, '[' .. lease .. '\0', '(' .. lease .. '\1')
  for _, each in ipairs(bound) do remove(string.sub(each, #lease + 2), lease) end
  return redis.call('ZREM', LEASES, lease)
end

for _, lease in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', str(now))) do finish(lease) end

local run = {}

function run.get(key) return redis.call('HGET', ENTRIES, key) end

function run.put(key, value, lease, expected)
  if lease ~= '' and not redis.call('ZSCORE', LEASES, lease) then return {LOST} end
  local found, bound = entry(key)
  if expected ~= '' and tonumber(expected) ~= found then return {0, found} end
  unbind(key, bound)
  local revision = record(key, value)
  store(key, value, lease, revision)
  bind(key, lease)
  return {1, revision}
end

function run.delete(key, expected)
  local found, lease = entry(key)
  if found == 0 or (expected ~= '' and tonumber(expected) ~= found) then return {0, found} end
  return {1, remove(key, lease)}
end

function run.list(prefix, limit)
  local keys = redis.call('ZRANGEBYLEX', NAMES, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, limit)
  local reply = {meta('revision')}
  for first = 1, #keys, 1000 do
    local some = {unpack(keys, first, math.min(first + 999, #keys))}
    local entries = redis.call('HMGET', ENTRIES, unpack(some))
    for place, key in ipairs(some) do
      reply[#reply + 1], reply[#reply + 2] = key, entries[place]
    end
  end
  return reply
end

-- The name of a lease says how long it lasts, and which key it was made with.
local function grant(tick, ttl, key)
  local lease = tick .. '-' .. ttl .. (key and '-' .. key or '')
  redis.call('ZADD', LEASES, str(now + tonumber(ttl)), lease)
  return lease
end

function run.grant(ttl)
  local tick = str(after(redis.call('HGET', META, 'tick')))
  redis.call('HSET', META, 'tick', tick)
  return grant(tick, ttl)
end

local function older(keys, revision)
  local ahead = 0
  for _, key in ipairs(keys) do
    if entry(key) < revision then ahead = ahead + 1 end
  end
  return ahead
end

function run.enlist(key, value, ttl, behind, most)
  local from, to = '[' .. behind, '(' .. behind .. '\255'
  local found, lease, held = entry(key)
  if found ~= 0 then
    if lease == '' or held ~= value then return {LOST, 0} end
    return {1, older(redis.call('ZRANGEBYLEX', NAMES, from, to), found), found, lease}
  end
  local ahead = redis.call('ZLEXCOUNT', NAMES, from, to)
  if most ~= '' and ahead >= tonumber(most) then return {0, ahead} end
  local revision = record(key, value)
  -- Nobody else is given this number, so it names the lease too.
  lease = grant(str(revision), ttl, key)
  store(key, value, lease, revision)
  return {1, ahead, revision, lease}
end

function run.keep_alive(lease)
  local ttl = tonumber(string.match(lease, '^%d+%-(%d+)') or '')
  if not ttl or not redis.call('ZSCORE', LEASES, lease) then return LOST end
  redis.call('ZADD', LEASES, 'XX', str(now + ttl), lease)
  return ttl
end

function run.revoke(lease) return finish(lease) end

-- Only a revision that the history knows is followed: another one was lost with data, and what came after it too.
local function is_known(after, revision, told_from)
  if after == revision or after == told_from then return true end
  return after > told_from and #redis.call('XRANGE', HISTORY, str(after) .. '-0', str(after) .. '-0') == 1
end

function run.changes(prefix, from)
  local after, revision, told_from = tonumber(from), meta('revision'), meta('told_from')
  local first = redis.call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2]
  if not is_known(after, revision, told_from) then return {LOST, revision, told_from} end
  local reply, told, bytes = {0, meta('tick'), first and tonumber(first) - now or LOST}, after, 0
  while told < revision and #reply < MOST_CHANGES and bytes < MOST_REPLY_BYTES do
    for _, entry in ipairs(redis.call('XRANGE', HISTORY, '(' .. str(told) .. '-0', '+', 'COUNT', PAGE)) do
      told = tonumber(string.match(entry[1], '^%d+'))
      local key, value = entry[2][2], entry[2][4]
      if string.sub(key, 1, #prefix) == prefix then
        reply[#reply + 1] = {told, key, value}
        bytes = bytes + #key + #(value or '')
      end
    end
  end
  reply[1] = told
  return reply
end

return run[ARGV[1]](unpack(ARGV, 4))
