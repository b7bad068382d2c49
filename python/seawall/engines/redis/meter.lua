-- Decide all limits at `now`, and charge them when all admit. KEYS: one for each. ARGV: whether to charge; how
-- many words a limit has, 6 or 9; then of each kind, amount, period, limit, cost, longest wait, and least, returned and
-- its time. The same steps as seawall.engines._ports._algorithms, in doubles
-- that stay whole numbers below 2^53: division only of multiples.
local TOKEN, LEAKY, FIXED, SLIDING, LOG = 0, 1, 2, 3, 4

local function div(a, b) return (a - math.fmod(a, b)) / b end

local function ceil_div(a, b)
  local rest = math.fmod(a, b)
  return (a - rest) / b + (rest > 0 and 1 or 0)
end

local function missing(rule, state)
  if not state then return 0 end
  local short, at, scale = state[2], state[3], state[4]
  if scale ~= rule.period then short = ceil_div(short, scale) * rule.period end
  return math.max(0, short - math.max(0, now - at) * rule.amount)
end

local bucket = {}

function bucket.judge(rule, state)
  local short = missing(rule, state)
  local after = short + rule.cost * rule.period
  local until_room = ceil_div(math.max(0, after - rule.limit * rule.period), rule.amount)
  local paces = rule.kind == LEAKY
  local wait = paces and ceil_div(short, rule.amount) or until_room
  local retry = math.max(0, wait - rule.longest, paces and until_room or 0)
  return {rule.kind, short, now, rule.period}, {rule.kind, after, now, rule.period}, wait, retry
end

function bucket.without(rule, state)
  local short = missing(rule, state)
  local back = math.max(0, rule.returned * rule.period - math.max(0, now - rule.returned_at) * rule.amount)
  if short <= rule.limit * rule.period then short = math.max(0, short - back) end
  return {rule.kind, short, now, rule.period}
end

function bucket.newest(state) return state[3] end

function bucket.describe(rule, state)
  local short = missing(rule, state)
  return math.max(0, rule.limit - ceil_div(short, rule.period)), ceil_div(short, rule.amount)
end

local window = {}

local function in_view(rule, state)
  local number, count, previous, size = state[2], state[3], state[4], state[5]
  local ends = (number + 1) * size
  if rule.kind == FIXED then return now < ends and count or 0 end
  return (now < ends + size and count or 0) + (now < ends and previous or 0)
end

local function counts(rule, state)
  local current = div(now, rule.period)
  if not state then return current, 0, 0 end
  if state[5] ~= rule.period then return current, in_view(rule, state), 0 end
  if state[2] >= current then return current, state[3], state[4] end
  return current, 0, state[2] == current - 1 and state[3] or 0
end

local function fits_at(rule, current, count, previous)
  local size, at, slides = rule.period, now, rule.kind == SLIDING
  local seen = slides and previous or 0
  while true do
    local room, ends = rule.limit - count - rule.cost, (current + 1) * size
    if room >= 0 and seen * (ends - at) <= room * size then return at end
    if room >= 0 then
      local later = ends - div(room * size, seen)
      if later < ends then return later end
    end
    seen, count, current, at = slides and count or 0, 0, current + 1, ends
  end
end

function window.judge(rule, state)
  local current, count, previous = counts(rule, state)
  local before = {rule.kind, current, count, previous, rule.period}
  local after = {rule.kind, current, count + rule.cost, previous, rule.period}
  return before, after, 0, fits_at(rule, current, count, previous) - now
end

function window.without(rule, state)
  local current, count, previous = counts(rule, state)
  local charged_in = div(rule.returned_at, rule.period)
  if charged_in == current then
    count = math.max(0, count - rule.returned)
  elseif charged_in == current - 1 then
    previous = math.max(0, previous - rule.returned)
  end
  return {rule.kind, current, count, previous, rule.period}
end

function window.newest(state) return state[2] * state[5] end

function window.describe(rule, state)
  local size = rule.period
  local current, count, previous = counts(rule, state)
  local ends = (current + 1) * size
  if rule.kind == FIXED then return math.max(0, rule.limit - count), count > 0 and ends - now or 0 end
  local used = count + ceil_div(previous * (ends - now), size)
  local reset = count > 0 and ends + size - now or (previous > 0 and ends - now or 0)
  return math.max(0, rule.limit - used), reset
end

local log = {}

local function active(rule, state)
  local kept = {LOG}
  for place = 2, state and #state or 0, 2 do
    local time = math.min(state[place], now)
    if time + rule.period > now then kept[#kept + 1], kept[#kept + 2] = time, state[place + 1] end
  end
  return kept
end

function log.judge(rule, state)
  local before, over, retry = active(rule, state), rule.cost - rule.limit, 0
  for place = 2, #before, 2 do over = over + before[place + 1] end
  for place = 2, #before, 2 do
    if over <= 0 then break end
    over, retry = over - before[place + 1], before[place] + rule.period - now
  end
  local after = {}
  for place, word in ipairs(before) do after[place] = word end
  if #after > 1 and after[#after - 1] == now then
    after[#after] = after[#after] + rule.cost
  else
    after[#after + 1], after[#after + 2] = now, rule.cost
  end
  return before, after, 0, retry
end

function log.without(rule, state)
  local kept, left = active(rule, state), {LOG}
  for place = 2, #kept, 2 do
    local cost = kept[place + 1]
    if kept[place] == rule.returned_at then cost = math.max(0, cost - rule.returned) end
    if cost > 0 then left[#left + 1], left[#left + 2] = kept[place], cost end
  end
  return left
end

function log.newest(state)
  local newest = 0
  for place = 2, #state, 2 do newest = math.max(newest, state[place]) end
  return newest
end

function log.describe(rule, state)
  local kept, used = active(rule, state), 0
  for place = 2, #kept, 2 do used = used + kept[place + 1] end
  return math.max(0, rule.limit - used), #kept > 1 and kept[#kept - 1] + rule.period - now or 0
end

local algorithms = {[TOKEN] = bucket, [LEAKY] = bucket, [FIXED] = window, [SLIDING] = window, [LOG] = log}
local consume, admitted, ahead, judged = ARGV[1] == '1', true, false, {}
local width = tonumber(ARGV[2])

for place, key in ipairs(KEYS) do
  local first = width * (place - 1) + 3
  local rule = {
    kind = tonumber(ARGV[first]), amount = tonumber(ARGV[first + 1]), period = tonumber(ARGV[first + 2]),
    limit = tonumber(ARGV[first + 3]), cost = tonumber(ARGV[first + 4]), longest = tonumber(ARGV[first + 5]),
    least = 0, returned = 0,
  }
  if width > 6 then
    rule.least, rule.returned = tonumber(ARGV[first + 6]), tonumber(ARGV[first + 7])
    rule.returned_at = tonumber(ARGV[first + 8])
  end
  local kept = redis.call('GET', key)
  local state = kept and cmsgpack.unpack(kept)
  if state and state[1] ~= rule.kind then state = nil end
  local algorithm = algorithms[rule.kind]
  -- The clock has gone back: what is stored must begin to age now, or it never would.
  ahead = ahead or rule.returned > 0 or (state and algorithm.newest(state) > now)
  if state and rule.returned > 0 then state = algorithm.without(rule, state) end
  if rule.least > 0 then
    local there = algorithm.describe(rule, state)
    rule.cost = math.min(rule.cost, math.max(rule.least, there))
  end
  local before, after, wait, retry = algorithm.judge(rule, state)
  if rule.cost == 0 then after, wait, retry = before, 0, 0 end
  judged[place] = {rule = rule, before = before, after = after, wait = wait, retry = retry}
  admitted = admitted and retry == 0
end

local charged, reply = consume and admitted, {now}
local store = charged or (consume and ahead)
for place, each in ipairs(judged) do
  local state = charged and each.after or each.before
  local remaining, reset = algorithms[each.rule.kind].describe(each.rule, state)
  if store and reset > 0 then
    -- Forgotten a millisecond after nothing is left of it, which the server counts in whole ones.
    redis.call('SET', KEYS[place], cmsgpack.pack(state), 'PX', str(ceil_div(reset, 1000) + 1))
  elseif store then
    redis.call('DEL', KEYS[place])
  end
  local said = {each.retry == 0 and each.wait or 0, remaining, each.retry, reset, charged and each.rule.cost or 0}
  for _, number in ipairs(said) do reply[#reply + 1] = number end
end
return reply
