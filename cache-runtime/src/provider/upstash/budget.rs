//! How often requests may be repeated: some, and then a share of what succeeds.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a repetition costs, in successes.
const PRICE: u32 = 10;

/// How many repetitions may come at once.
const MOST: u32 = 10;

/// A budget of repetitions, so that a server in trouble is not asked twice as often as before.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST * PRICE))
    }
}

impl Budget {
    /// Adds what one success is worth.
    pub(super) fn earn(&self) {
        // On the path of every answer: nothing is written while the budget is full.
        if self.0.load(Ordering::Relaxed) < MOST * PRICE {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes one repetition, if there is one.
    pub(super) fn spend(&self) -> bool {
        let take = |left: u32| left.checked_sub(PRICE);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn ten_failures_in_a_row_use_it_up_and_ten_successes_buy_one_more() {
        let budget = Budget::default();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        (0..10).for_each(|_| budget.earn());
        assert!(budget.spend() && !budget.spend());
    }
}
