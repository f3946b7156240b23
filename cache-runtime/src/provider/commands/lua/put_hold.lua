-- Puts so many holds into a mark; how many marks there were before.
--
-- What lies there goes first, and the hold comes after it: a server that is out of memory refuses a
-- script whose first change needs some, and nothing of one that has begun by giving some back.
local function put_hold(key, count, ttl)
  local found = redis.call('UNLINK', key)
  local held = string.format('held%08d', math.min(count, 99999999))
  redis.call('SET', key, held, 'PX', string.format('%.0f', math.max(ttl, 1)))
  return found
end
