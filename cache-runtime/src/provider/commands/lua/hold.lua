-- KEYS: cells, marks. ARGV: how many cells there are, what takes their place, the TTL, and the end of
-- the hold of each mark that is to last longer; nothing for a new one.
--
-- How many cells there were, and marks that were not held; how many marks were not held, or not by
-- the hold that was to last longer; and when the hold ends.
local cells, ttl, former = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4]
local now, hold_end = moment(0), moment(ttl)
local removed, unheld = 0, 0
for at, key in ipairs(KEYS) do
  if at <= cells then
    removed = removed + redis.call('UNLINK', key)
    redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
  else
    local ends = ends_of(redis.pcall('GET', key), now)
    local is_new = not ends
    if is_new or (former ~= '' and not take(ends, former)) then
      unheld = unheld + 1
    end
    ends = ends or {}
    ends[#ends + 1] = hold_end
    local found = put_holds(key, ends, now)
    removed = removed + (is_new and found or 0)
  end
end
return {removed, unheld, tonumber(hold_end)}
