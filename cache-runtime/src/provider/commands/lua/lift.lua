-- KEYS: cells, marks. ARGV: how many cells there are, and when the hold of each mark ends; nothing for
-- the one that ends first.
--
-- Removes the cells, and ends one hold of each mark; how many marks did not have it.
local now, unheld = moment(0), 0
for at, key in ipairs(KEYS) do
  local ends
  if at > tonumber(ARGV[1]) then
    ends = ends_of(redis.pcall('GET', key), now)
    unheld = unheld + (take(ends, ARGV[2]) and 0 or 1)
  end
  if ends and #ends > 0 then
    put_holds(key, ends, now)
  else
    redis.call('UNLINK', key)
  end
end
return unheld
