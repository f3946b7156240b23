-- How many hold a mark that holds this; nothing if it is not held.
local function holders(value)
  local count = type(value) == 'string' and string.match(value, '^held(%d%d%d%d%d%d%d%d)$')
  return count and tonumber(count)
end
