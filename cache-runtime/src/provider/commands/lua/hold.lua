-- KEYS: marks. ARGV: the TTL. A hold that would end later stays.
for _, key in ipairs(KEYS) do
  if redis.pcall('GET', key) ~= 'held' or redis.call('PTTL', key) < tonumber(ARGV[1]) then
    redis.call('SET', key, 'held', 'PX', ARGV[1])
  end
end
return 1
