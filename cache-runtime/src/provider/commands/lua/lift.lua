-- KEYS: cells, marks. ARGV: how many cells there are.
--
-- Removes the cells, and ends one hold of each mark; how many marks nobody held.
local unheld = 0
for at, key in ipairs(KEYS) do
  local count = 1
  if at > tonumber(ARGV[1]) then
    count = holders(redis.pcall('GET', key)) or 0
  end
  if count > 1 then
    put_hold(key, count - 1, redis.call('PTTL', key))
  else
    redis.call('UNLINK', key)
    unheld = unheld + 1 - count
  end
end
return unheld
