-- KEYS: the cell, marks. ARGV: what is expected, the lease, its TTL, the marks' TTL, and a nonce for
-- each mark.
local found = prefix(KEYS[1])
if not fits(found, ARGV[1]) then
  return {0, found}
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {1, ensure(2, ARGV[4], 5)}
