-- KEYS: the cell. ARGV: what is expected.
if fits(prefix(KEYS[1]), ARGV[1]) then
  return redis.call('UNLINK', KEYS[1])
end
return 0
