-- KEYS: the cell, marks, guards. ARGV: what is expected, the TTL, `remove` or `keep`, the marks' TTL,
-- how many marks there are, a nonce for each guard, and the value.
local marks = tonumber(ARGV[5])
local refusal = false
if not fits(prefix(KEYS[1]), ARGV[1]) then
  refusal = 'cell'
end
for at = marks + 2, #KEYS do
  if redis.pcall('GET', KEYS[at]) ~= ARGV[at - marks + 4] then
    refusal = refusal or 'guard'
  end
end
if refusal then
  if ARGV[3] == 'remove' then
    redis.call('UNLINK', KEYS[1])
  end
  return {0, refusal}
end
redis.call('SET', KEYS[1], ARGV[#ARGV], 'PX', ARGV[2])
return {1, touch(2, marks + 1, ARGV[4])}
