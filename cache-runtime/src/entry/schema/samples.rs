//! What the probe answers where any value of a primitive type would do: several samples, since
//! hand-written impls accept only what means something to them.

/// Tried in order until one is accepted.
pub(super) const TEXTS: &[&str] = &[
    "",
    "a",
    "1",
    "127.0.0.1",
    "::1",
    "127.0.0.1:80",
    "[::1]:80",
    "10.0.0.0/8",
    "2000-01-01",
    "00:00:00",
    "2000-01-01T00:00:00",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00+00:00[UTC]",
    "2000-01-01 00:00:00.0 +00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000",
    "http://a.example/",
    "a@a.example",
    "1.0.0",
    "1s",
    "PT1S",
    "UTC",
    "en",
    "Mon",
    "January",
    "USD",
    "#000000",
    "AAAA",
    "00",
];

/// The same for numbers: what is neither nothing nor negative first.
pub(super) const NUMBERS: &[u8] = &[1, 0, 2, 7, 10, 64, 100];

/// The same for bytes: how many zeros.
pub(super) const LENGTHS: &[usize] = &[16, 0, 4, 8, 12, 20, 32, 64, 1];

/// As many zeros as any length needs.
pub(super) const ZEROS: &[u8] = &[0; 64];
