-- KEYS: cells, marks. ARGV: how many cells there are.
--
-- Removes the cells, and the marks that nobody holds; how many of them there were. No call is made
-- with more words than a call takes from a table.
local at_once, cells = 1000, tonumber(ARGV[1])
local names, removed = {}, 0
for at = 1, cells do
  names[at] = KEYS[at]
end
for first = cells + 1, #KEYS, at_once do
  local states = redis.call('MGET', unpack(KEYS, first, math.min(first + at_once - 1, #KEYS)))
  for at, state in ipairs(states) do
    if not is_held(state) then
      names[#names + 1] = KEYS[first + at - 1]
    end
  end
end
for first = 1, #names, at_once do
  local last = math.min(first + at_once - 1, #names)
  removed = removed + redis.call('UNLINK', unpack(names, first, last))
end
return removed
