-- KEYS: marks. ARGV: their TTL, and a nonce for each.
return ensure(1, ARGV[1], 2)
