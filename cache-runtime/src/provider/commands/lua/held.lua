-- A mark that is held holds `held` and, for each hold, the moment at which that ends: milliseconds of
-- the server's clock since 1970, in 13 digits, so that they compare as text.
local function is_held(value)
  return type(value) == 'string' and #value > 4 and (#value - 4) % 13 == 0
    and string.find(value, '^held%d+$')
end
