-- KEYS: the cell. ARGV: what is expected, the TTL.
if fits(prefix(KEYS[1]), ARGV[1]) then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
