-- KEYS: cells, marks. ARGV: how many cells there are, what takes their place, the TTL, and how many
-- holds to add to each mark: 0 only lets those that are there last longer.
--
-- How many cells there were, and marks that were not held; and how many marks nobody held.
local cells, ttl, more = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local removed, unheld = 0, 0
for at, key in ipairs(KEYS) do
  if at <= cells then
    removed = removed + redis.call('UNLINK', key)
    redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
  else
    local count = holders(redis.pcall('GET', key))
    if count then
      put_hold(key, count + more, math.max(ttl, redis.call('PTTL', key)))
    else
      removed = removed + put_hold(key, math.max(more, 1), ttl)
      unheld = unheld + 1
    end
  end
end
return {removed, unheld}
