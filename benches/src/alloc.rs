//! The allocator of the benchmarks: the system's, with counters that are off while time is taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Counts calls and live bytes while counting is on, which costs a load and a branch when off.
#[derive(Debug)]
pub struct CountingAllocator;

static ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

/// What was counted while a closure ran.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Allocations and reallocations.
    pub calls: u64,
    /// Bytes that were requested and not freed.
    pub live_bytes: i64,
}

/// Counts what all threads allocate while `work` runs.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Counted) {
    let counting = Counting::begin();
    let result = work();
    (result, counting.end())
}

/// Counts what all threads allocate between [`begin`](Self::begin) and [`end`](Self::end).
#[derive(Debug)]
pub struct Counting {
    before: Counted,
}

impl Counting {
    /// Begins. There is one at a time.
    #[must_use]
    pub fn begin() -> Self {
        let before = counted();
        ON.store(true, Ordering::SeqCst);
        Self { before }
    }

    /// What was counted since.
    #[must_use]
    pub fn end(self) -> Counted {
        ON.store(false, Ordering::SeqCst);
        let now = counted();
        Counted {
            calls: now.calls - self.before.calls,
            live_bytes: now.live_bytes - self.before.live_bytes,
        }
    }
}

fn counted() -> Counted {
    Counted { calls: CALLS.load(Ordering::Relaxed), live_bytes: LIVE_BYTES.load(Ordering::Relaxed) }
}

/// The memory of this process that is resident, in bytes; 0 where `/proc` is missing.
#[must_use]
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn note(calls: u64, bytes: i64) {
    if ON.load(Ordering::Relaxed) {
        CALLS.fetch_add(calls, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, new_size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}
