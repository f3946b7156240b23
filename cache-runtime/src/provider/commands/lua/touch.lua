-- KEYS: marks. ARGV: their TTL.
return touch(1, #KEYS, ARGV[1])
