-- The first bytes of a cell; none if there is no such cell, or it is none.
local function prefix(key)
  local bytes = redis.pcall('GETRANGE', key, 0, PREFIX_WIDTH - 1)
  return type(bytes) == 'string' and bytes or ''
end

-- Whether a cell that begins so is what the caller expects: `*` is anything, `=` is followed by the
-- prefix, `~` by the first bytes of foreign text in hexadecimal.
local function fits(found, expected)
  if expected == '*' or expected == '=' .. found then
    return true
  end
  if found == '' or string.sub(expected, 1, 1) ~= '~' then
    return false
  end
  local foreign = string.gsub(string.sub(found, 1, 16), '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end)
  return expected == '~' .. foreign
end
