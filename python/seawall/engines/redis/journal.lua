-- One operation on the streams of a namespace: ARGV is its name and its arguments. The last keys are those of one
-- stream. `ready` has the positions that are free, `held` those that are taken or put off, by when that ends.
local META, STREAMS, CLAIMS, TOKENS, RECORDS, PLACES, READY, HELD, TAKINGS = unpack(KEYS)
local LOST, CONFLICT, OTHER = -1, -2, -3
-- Of another stream, where an operation has two: the same five in the same order.
local OTHER_PLACES = KEYS[11]

-- Never below the time: a number is not used again even when the server has lost data.
local function next_numbers(counter, count)
  local first = math.max(tonumber(redis.call('HGET', META, counter) or 0) + 1, now)
  redis.call('HSET', META, counter, str(first + count - 1))
  return first
end

local function is_claimed(stream)
  local ends = redis.call('ZSCORE', CLAIMS, stream)
  return ends and tonumber(ends) > now
end

local function is_current(stream, token)
  return is_claimed(stream) and redis.call('HGET', TOKENS, stream) == token
end

local function forget_claim(stream)
  redis.call('HDEL', TOKENS, stream)
  redis.call('ZREM', CLAIMS, stream)
end

local function last()
  return tonumber(redis.call('ZRANGE', PLACES, -1, -1)[1] or 0)
end

local function last_of_other()
  return OTHER_PLACES and tonumber(redis.call('ZRANGE', OTHER_PLACES, -1, -1)[1] or 0) or 0
end

local function drop(stream, position)
  redis.call('HDEL', RECORDS, position)
  redis.call('HDEL', TAKINGS, position)
  redis.call('ZREM', PLACES, position)
  redis.call('ZREM', READY, position)
  redis.call('ZREM', HELD, position)
  if redis.call('ZCARD', PLACES) == 0 then redis.call('ZREM', STREAMS, stream) end
end

-- Token, attempt, and whether somebody has it.
local function taking(position)
  local found = redis.call('HGET', TAKINGS, position)
  if not found then return '0', 0, false end
  local token, attempt, held = string.match(found, '^(%d+) (%d+) (%d)$')
  return token, tonumber(attempt), held == '1'
end

local function is_held(position, token)
  local ends = redis.call('ZSCORE', HELD, position)
  local newest, _, held = taking(position)
  return ends and tonumber(ends) > now and held and newest == token
end

local run = {}

function run.append(stream, expected, token, ...)
  if token ~= '' and not is_current(stream, token) then return {LOST} end
  if expected ~= '' and tonumber(expected) ~= last() then return {CONFLICT, last()} end
  local records = {...}
  local first = next_numbers('position', #records)
  redis.call('ZADD', STREAMS, 0, stream)
  for place, data in ipairs(records) do
    local position = str(first + place - 1)
    redis.call('HSET', RECORDS, position, data)
    redis.call('ZADD', PLACES, position, position)
    redis.call('ZADD', READY, position, position)
  end
  return {0, first + #records - 1}
end

function run.scan(after, limit)
  local reply = {}
  for _, position in ipairs(redis.call('ZRANGEBYSCORE', PLACES, '(' .. after, '+inf', 'LIMIT', 0, limit)) do
    reply[#reply + 1] = tonumber(position)
    reply[#reply + 1] = redis.call('HGET', RECORDS, position)
  end
  return reply
end

function run.last() return last() end

function run.streams(prefix, after, limit, unclaimed)
  local reply, low, high = {}, '[' .. prefix, '(' .. prefix .. '\255'
  if after >= prefix then low = '(' .. after end
  while #reply < tonumber(limit) do
    local names = redis.call('ZRANGEBYLEX', STREAMS, low, high, 'LIMIT', 0, 1000)
    if #names == 0 then break end
    for _, name in ipairs(names) do
      if #reply < tonumber(limit) and not (unclaimed == '1' and is_claimed(name)) then reply[#reply + 1] = name end
    end
    low = '(' .. names[#names]
  end
  return reply
end

function run.trim(stream, through)
  local gone = redis.call('ZRANGEBYSCORE', PLACES, '-inf', through)
  for _, position in ipairs(gone) do drop(stream, position) end
  return #gone
end

function run.claim(stream, ttl)
  for _, ended in ipairs(redis.call('ZRANGEBYSCORE', CLAIMS, '-inf', str(now))) do forget_claim(ended) end
  if is_claimed(stream) then return LOST end
  local token = next_numbers('token', 1)
  redis.call('ZADD', CLAIMS, str(now + tonumber(ttl)), stream)
  redis.call('HSET', TOKENS, stream, str(token))
  return token
end

function run.renew(stream, token, ttl)
  if not is_current(stream, token) then return LOST end
  redis.call('ZADD', CLAIMS, str(now + tonumber(ttl)), stream)
  return 0
end

function run.release(stream, token)
  if not is_current(stream, token) then return 0 end
  forget_claim(stream)
  return 1
end

function run.claim_and_append(stream, ttl, expected, ...)
  if is_claimed(stream) then return {LOST} end
  if last_of_other() ~= 0 then return {OTHER, last_of_other()} end
  if expected ~= '' and tonumber(expected) ~= last() then return {CONFLICT, last()} end
  local token = run.claim(stream, ttl)
  return {0, token, run.append(stream, '', '', ...)[2]}
end

function run.conclude(stream, token, into, ...)
  if not is_current(stream, token) then return {LOST} end
  if last_of_other() ~= 0 then return {CONFLICT, last_of_other()} end
  if select('#', ...) > 0 then run.append(stream, '', '', ...) end
  if into ~= '' and last() ~= 0 then
    for place = 5, 9 do
      if redis.call('EXISTS', KEYS[place]) == 1 then redis.call('RENAME', KEYS[place], KEYS[place + 5]) end
    end
    redis.call('ZREM', STREAMS, stream)
    redis.call('ZADD', STREAMS, 0, into)
  end
  forget_claim(stream)
  return {0}
end

function run.take(ttl, limit)
  for _, position in ipairs(redis.call('ZRANGEBYSCORE', HELD, '-inf', str(now))) do
    redis.call('ZREM', HELD, position)
    redis.call('ZADD', READY, position, position)
  end
  local free, reply = redis.call('ZRANGE', READY, 0, tonumber(limit) - 1), {}
  local first = #free > 0 and next_numbers('token', #free)
  for place, position in ipairs(free) do
    local token, _, attempt = first + place - 1, taking(position)
    redis.call('ZREM', READY, position)
    redis.call('ZADD', HELD, str(now + tonumber(ttl)), position)
    redis.call('HSET', TAKINGS, position, str(token) .. ' ' .. str(attempt + 1) .. ' 1')
    reply[place] = {tonumber(position), redis.call('HGET', RECORDS, position), token, attempt + 1}
  end
  return reply
end

function run.acknowledge(stream, position, token)
  if not is_held(position, token) then return LOST end
  drop(stream, position)
  return 0
end

function run.give_back(position, token, delay)
  if not is_held(position, token) then return 0 end
  local _, attempt = taking(position)
  redis.call('HSET', TAKINGS, position, token .. ' ' .. str(attempt) .. ' 0')
  redis.call('ZADD', HELD, str(now + tonumber(delay)), position)
  return 1
end

return run[ARGV[1]](unpack(ARGV, 2))
