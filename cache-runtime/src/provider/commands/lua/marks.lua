-- Whether a mark can hold this: a nonce, or that it is held. Anything else counts as absent.
local function is_mark(value)
  return value and (is_held(value) or #value == NONCE_WIDTH and string.find(value, NONCE_PATTERN))
end

-- Creates the absent ones among the marks from KEYS[first] on; what all of them hold.
local function ensure(first, ttl, first_nonce)
  if #KEYS < first then
    return {}
  end
  local states = redis.call('MGET', unpack(KEYS, first))
  -- A mark may be named twice, and has one nonce all the same.
  local made = {}
  for at = 1, #KEYS - first + 1 do
    if not is_mark(states[at]) then
      local key = KEYS[first + at - 1]
      if not made[key] then
        made[key] = ARGV[first_nonce + at - 1]
        redis.call('SET', key, made[key], 'PX', ttl)
      end
      states[at] = made[key]
    end
  end
  return states
end

-- Lets the live ones among the marks live for the TTL at least; what all of them hold.
--
-- Whoever keeps copies of what carries a mark is told of every change of its TTL. So it is changed
-- seldom, and then to half as long again, rather than a little with every fill.
local function touch(first, last, ttl)
  if last < first then
    return {}
  end
  local states = redis.call('MGET', unpack(KEYS, first, last))
  for at = 1, last - first + 1 do
    if is_mark(states[at]) and not is_held(states[at]) then
      local key = KEYS[first + at - 1]
      local left = redis.call('PTTL', key)
      -- Below zero it has no TTL, and lives on anyway.
      if left >= 0 and left < tonumber(ttl) then
        redis.call('PEXPIRE', key, string.format('%.0f', tonumber(ttl) * 1.5))
      end
    end
  end
  return states
end
