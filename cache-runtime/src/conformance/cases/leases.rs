//! Acquiring, renewing and releasing.

use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World, lease, refused, stored, twin, value};
use crate::provider::{
    Acquire, Acquired, CellKind, Expected, Prefix, Provider, ProviderExt, Removal,
};

/// Tries to put a lease on `k`: what was found if it is busy.
async fn busy(w: &World, expected: impl Into<Expected>) -> Verdict<Option<Prefix>> {
    match w.provider.acquire(Acquire::new("k", lease(), LONG).expected(expected)).await? {
        Acquired::Granted(_) => Ok(None),
        Acquired::Busy(found) => Ok(Some(found)),
    }
}

cases! {
    async fn an_absent_cell_can_be_leased(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, LONG).await?, "no lease on an absent cell");
        same!(w.cell("k").await?.as_deref(), Some(lease.as_bytes()), "the cell's bytes");
    }

    async fn a_leased_cell_is_busy(w) {
        w.lease("k").await?;
        check!(!w.provider.try_lease("k", lease(), LONG).await?, "two leases on one cell");
    }

    async fn a_busy_answer_names_the_lease_that_is_there(w) {
        let held = w.lease("k").await?;
        same!(busy(w, Expected::ABSENT).await?, Some(held), "what is there");
    }

    async fn a_busy_answer_names_the_value_that_is_there(w) {
        let held = w.put("k", LONG).await?;
        same!(busy(w, Expected::ABSENT).await?, Some(held), "what is there");
    }

    async fn a_busy_answer_names_absence(w) {
        same!(busy(w, lease()).await?, Some(Prefix::ABSENT), "what is there");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_busy_acquire_changes_nothing(w) {
        let stored = value(b"payload");
        w.provider.put("k", &stored, LONG).await?;
        check!(!w.provider.try_lease("k", lease(), LONG).await?, "a lease in place of a value");
        same!(w.cell("k").await?, Some(stored), "the cell");
    }

    async fn a_value_that_was_seen_can_be_leased(w) {
        let seen = w.put("k", LONG).await?;
        same!(busy(w, seen).await?, None, "what is there");
        same!(w.prefix("k").await?.kind(), Some(CellKind::Lease), "the kind");
    }

    async fn a_value_that_changed_cannot_be_leased(w) {
        let seen = w.put("k", LONG).await?;
        let now = w.put("k", LONG).await?;
        same!(busy(w, seen).await?, Some(now), "what is there");
    }

    async fn a_lease_that_was_seen_can_be_taken_over(w) {
        let seen = w.lease("k").await?;
        same!(busy(w, seen).await?, None, "what is there");
        refused(&w.finish("k", seen, &[]).await?)?;
    }

    async fn a_lease_that_changed_cannot_be_taken_over(w) {
        let seen = w.lease("k").await?;
        w.provider.release("k", seen).await?;
        let now = w.lease("k").await?;
        same!(busy(w, seen).await?, Some(now), "what is there");
    }

    async fn anything_may_be_expected_of_an_absent_cell(w) {
        same!(busy(w, Expected::Anything).await?, None, "what is there");
    }

    async fn anything_may_be_expected_of_a_lease(w) {
        let before = w.lease("k").await?;
        same!(busy(w, Expected::Anything).await?, None, "what is there");
        check!(w.prefix("k").await? != before, "the former lease is still there");
    }

    async fn anything_may_be_expected_of_a_value(w) {
        w.put("k", LONG).await?;
        same!(busy(w, Expected::Anything).await?, None, "what is there");
        same!(w.prefix("k").await?.kind(), Some(CellKind::Lease), "the kind");
    }

    async fn all_17_bytes_are_compared(w) {
        let seen = w.put("k", LONG).await?;
        check!(busy(w, twin(seen)).await?.is_some(), "one byte was not compared");
    }

    async fn the_kind_is_compared(w) {
        let id = [7; 16];
        check!(
            w.provider.try_lease("k", Prefix::new(CellKind::Lease, id), LONG).await?,
            "no lease on an absent cell"
        );
        check!(
            busy(w, Prefix::new(CellKind::Value, id)).await?.is_some(),
            "the kind was not compared"
        );
    }

    async fn a_lease_is_not_granted_twice(w) {
        let lease = w.lease("k").await?;
        check!(!w.provider.try_lease("k", lease, LONG).await?, "the same lease was granted twice");
    }

    async fn leases_of_different_keys_do_not_meet(w) {
        let (first, second) = (w.lease("k").await?, w.lease("l").await?);
        check!(w.provider.release("k", first).await?, "not released");
        same!(w.prefix("l").await?, second, "the other lease");
    }

    async fn a_lease_of_the_writing_kind_is_kept_as_it_is(w) {
        let marker = Prefix::unique(CellKind::Write);
        check!(w.provider.try_lease("k", marker, LONG).await?, "no lease on an absent cell");
        same!(w.prefix("k").await?, marker, "the prefix");
        check!(w.provider.release("k", marker).await?, "not released");
    }

    async fn a_released_cell_can_be_leased_again(w) {
        let lease = w.lease("k").await?;
        check!(w.provider.release("k", lease).await?, "not released");
        w.lease("k").await?;
    }

    async fn a_removed_lease_can_be_leased_again(w) {
        w.lease("k").await?;
        w.provider.remove(Removal::of_keys(&["k"])).await?;
        w.lease("k").await?;
    }

    async fn a_released_lease_leaves_nothing(w) {
        let lease = w.lease("k").await?;
        w.provider.release("k", lease).await?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_release_of_anothers_lease_is_refused(w) {
        let held = w.lease("k").await?;
        check!(!w.provider.release("k", lease()).await?, "another's lease was released");
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn a_release_compares_all_17_bytes(w) {
        let held = w.lease("k").await?;
        check!(!w.provider.release("k", twin(held)).await?, "one byte was not compared");
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn a_release_of_an_absent_cell_is_refused(w) {
        check!(!w.provider.release("k", lease()).await?, "something was released");
        check!(!w.provider.release("k", Prefix::ABSENT).await?, "absence was released");
    }

    async fn a_lease_is_released_once(w) {
        let lease = w.lease("k").await?;
        check!(w.provider.release("k", lease).await?, "not released");
        check!(!w.provider.release("k", lease).await?, "released twice");
    }

    async fn a_release_after_the_fill_leaves_the_value(w) {
        let lease = w.lease("k").await?;
        stored(w.finish("k", lease, &[]).await?)?;
        check!(!w.provider.release("k", lease).await?, "the lease was released after the fill");
        check!(w.cell("k").await?.is_some(), "the value was removed");
    }

    async fn a_value_can_be_released_by_its_prefix(w) {
        let prefix = w.put("k", LONG).await?;
        check!(w.provider.release("k", prefix).await?, "not released");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_lease_that_was_removed_cannot_be_renewed(w) {
        let lease = w.lease("k").await?;
        w.provider.remove_key("k").await?;
        check!(!w.provider.renew("k", lease, LONG).await?, "a removed lease was renewed");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_lease_that_another_has_cannot_be_renewed(w) {
        let lost = w.lease("k").await?;
        w.provider.remove_key("k").await?;
        let held = w.lease("k").await?;
        check!(!w.provider.renew("k", lost, LONG).await?, "a lost lease was renewed");
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn a_renewal_compares_all_17_bytes(w) {
        let held = w.lease("k").await?;
        check!(!w.provider.renew("k", twin(held), LONG).await?, "one byte was not compared");
    }

    async fn a_renewal_leaves_the_bytes_as_they_are(w) {
        let stored = value(b"payload");
        w.provider.put("k", &stored, LONG).await?;
        check!(w.provider.renew("k", Prefix::of(&stored), LONG).await?, "not renewed");
        same!(w.cell("k").await?, Some(stored), "the cell");
    }

    async fn a_renewed_lease_can_be_filled(w) {
        let lease = w.lease("k").await?;
        check!(w.provider.renew("k", lease, LONG).await?, "not renewed");
        stored(w.finish("k", lease, &[]).await?)?;
    }

    async fn a_lease_can_be_renewed_many_times(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit * 2).await?, "no lease on an absent cell");
        for _ in 0..4 {
            w.advance(w.unit).await;
            check!(w.provider.renew("k", lease, w.unit * 2).await?, "not renewed");
        }
        same!(w.prefix("k").await?, lease, "the prefix");
    }
}
