-- The moment that lies so many milliseconds ahead.
local function moment(ahead)
  local time = redis.call('TIME')
  return string.format('%013.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ahead)
end

-- When the holds of a mark end that have not ended yet; nothing if there are none.
local function ends_of(value, now)
  if not is_held(value) then
    return nil
  end
  local ends = {}
  for at = 5, #value, 13 do
    local hold_end = string.sub(value, at, at + 12)
    if hold_end > now then
      ends[#ends + 1] = hold_end
    end
  end
  return #ends > 0 and ends or nil
end

-- Takes one hold that ends then, or the one that ends first, away; whether there was one.
local function take(ends, wanted)
  local found
  for at, hold_end in ipairs(ends or {}) do
    if hold_end == wanted or (wanted == '' and (not found or hold_end < ends[found])) then
      found = at
    end
  end
  return found ~= nil and table.remove(ends, found) ~= nil
end

-- Puts holds into a mark; how many marks there were before.
--
-- What lies there goes first, and the holds come after it: a server that is out of memory refuses a
-- script whose first change needs some, and nothing of one that has begun by giving some back.
local function put_holds(key, ends, now)
  local found = redis.call('UNLINK', key)
  local last = ends[1]
  for _, hold_end in ipairs(ends) do
    last = hold_end > last and hold_end or last
  end
  local left = string.format('%.0f', math.max(last - now, 1))
  redis.call('SET', key, 'held' .. table.concat(ends), 'PX', left)
  return found
end
