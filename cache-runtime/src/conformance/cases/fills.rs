//! Storing only if the cell holds what is expected.

use crate::Pattern;
use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World, lease, refused, stored, twin, value};
use crate::provider::{
    Acquire, Acquired, CellKind, Expected, Fill, Filled, Incarnation, Mark, MarkState, OnRefused,
    Prefix, Provider, ProviderExt, Refusal,
};

/// Fills `k` with a new value, or does to the cell what is asked when it is refused.
async fn fill_or(
    w: &World,
    expected: impl Into<Expected>,
    on_refused: OnRefused,
) -> Verdict<Filled> {
    let value = value(b"new");
    let request = Fill::new("k", &value, LONG).expected(expected).on_refused(on_refused);
    Ok(w.provider.fill(request).await?)
}

cases! {
    async fn a_lease_is_filled_by_its_holder(w) {
        let lease = w.lease("k").await?;
        stored(w.finish("k", lease, &[]).await?)?;
        same!(w.prefix("k").await?.kind(), Some(CellKind::Value), "the kind");
    }

    async fn a_lease_is_filled_once(w) {
        let lease = w.lease("k").await?;
        stored(w.finish("k", lease, &[]).await?)?;
        let first = w.prefix("k").await?;
        refused(&w.finish("k", lease, &[]).await?)?;
        same!(w.prefix("k").await?, first, "the prefix");
    }

    async fn nothing_is_stored_after_the_key_was_removed(w) {
        let lease = w.lease("k").await?;
        w.provider.remove_key("k").await?;
        let filled = w.finish("k", lease, &[]).await?;
        same!(filled, Filled::Refused(Refusal::Cell), "the answer");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn nothing_is_stored_after_a_pattern_removed_the_key(w) {
        let lease = w.lease("k:1").await?;
        w.provider.remove_matching(&Pattern::from("k:*")).await?;
        refused(&w.finish("k:1", lease, &[]).await?)?;
        same!(w.cell("k:1").await?, None, "the cell");
    }

    async fn nothing_is_stored_after_everything_was_cleared(w) {
        let lease = w.lease("k").await?;
        w.provider.clear().await?;
        refused(&w.finish("k", lease, &[]).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn nothing_is_stored_after_the_lease_was_released(w) {
        let lease = w.lease("k").await?;
        w.provider.release("k", lease).await?;
        refused(&w.finish("k", lease, &[]).await?)?;
    }

    async fn nothing_is_stored_over_anothers_lease(w) {
        let lost = w.lease("k").await?;
        w.provider.remove_key("k").await?;
        let held = w.lease("k").await?;
        refused(&w.finish("k", lost, &[]).await?)?;
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn nothing_is_stored_over_anothers_value(w) {
        let lost = w.lease("k").await?;
        let held = w.put("k", LONG).await?;
        refused(&w.finish("k", lost, &[]).await?)?;
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn nothing_is_stored_without_a_lease(w) {
        refused(&w.finish("k", lease(), &[]).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn all_17_bytes_are_compared(w) {
        let lease = w.lease("k").await?;
        refused(&w.finish("k", twin(lease), &[]).await?)?;
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn the_kind_is_compared(w) {
        let prefix = w.put("k", LONG).await?;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&prefix.as_bytes()[1..]);
        refused(&w.finish("k", Prefix::new(CellKind::Lease, bytes), &[]).await?)?;
    }

    async fn the_holder_who_took_over_fills(w) {
        let lost = w.lease("k").await?;
        let held = lease();
        let taken = w.provider.acquire(Acquire::new("k", held, LONG).expected(lost)).await?;
        check!(matches!(taken, Acquired::Granted(_)), "the lease was not taken over: {taken:?}");
        refused(&w.finish("k", lost, &[]).await?)?;
        stored(w.finish("k", held, &[]).await?)?;
    }

    async fn anything_may_be_expected(w) {
        stored(w.finish("k", Expected::Anything, &[]).await?)?;
        let over_value = w.prefix("k").await?;
        stored(w.finish("k", Expected::Anything, &[]).await?)?;
        check!(w.prefix("k").await? != over_value, "the former value is still there");
        w.lease("l").await?;
        stored(w.finish("l", Expected::Anything, &[]).await?)?;
    }

    async fn a_write_over_a_lease_takes_its_right_to_fill(w) {
        let lease = w.lease("k").await?;
        let written = w.put("k", LONG).await?;
        refused(&w.finish("k", lease, &[]).await?)?;
        same!(w.prefix("k").await?, written, "the prefix");
    }

    async fn absence_may_be_expected(w) {
        stored(w.finish("k", Expected::ABSENT, &[]).await?)?;
        refused(&w.finish("k", Expected::ABSENT, &[]).await?)?;
    }

    async fn a_lease_is_not_absence(w) {
        let lease = w.lease("k").await?;
        refused(&w.finish("k", Expected::ABSENT, &[]).await?)?;
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn a_refresh_compares_the_entry_that_it_read(w) {
        let old = w.put("k", LONG).await?;
        stored(w.finish("k", old, &[]).await?)?;
        check!(w.prefix("k").await? != old, "the former value is still there");
    }

    async fn a_refresh_of_a_changed_entry_is_refused(w) {
        let old = w.put("k", LONG).await?;
        let new = w.put("k", LONG).await?;
        refused(&w.finish("k", old, &[]).await?)?;
        same!(w.prefix("k").await?, new, "the prefix");
    }

    async fn a_refresh_does_not_bring_back_what_was_removed(w) {
        let old = w.put("k", LONG).await?;
        w.provider.remove_key("k").await?;
        refused(&w.finish("k", old, &[]).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_refresh_does_not_take_a_lease_from_its_holder(w) {
        let old = w.put("k", LONG).await?;
        let held = lease();
        w.provider.acquire(Acquire::new("k", held, LONG).expected(old)).await?;
        refused(&w.finish("k", old, &[]).await?)?;
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn a_refused_fill_may_keep_the_cell(w) {
        let held = w.put("k", LONG).await?;
        refused(&fill_or(w, lease(), OnRefused::Keep).await?)?;
        same!(w.prefix("k").await?, held, "the prefix");
    }

    async fn a_refused_fill_may_remove_a_value(w) {
        w.put("k", LONG).await?;
        refused(&fill_or(w, lease(), OnRefused::Remove).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_refused_fill_may_remove_a_lease(w) {
        let held = w.lease("k").await?;
        refused(&fill_or(w, lease(), OnRefused::Remove).await?)?;
        same!(w.cell("k").await?, None, "the cell");
        refused(&w.finish("k", held, &[]).await?)?;
    }

    async fn a_refused_fill_of_an_absent_cell_leaves_it_absent(w) {
        refused(&fill_or(w, lease(), OnRefused::Remove).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_stored_fill_removes_nothing(w) {
        let lease = w.lease("k").await?;
        stored(fill_or(w, lease, OnRefused::Remove).await?)?;
        check!(w.cell("k").await?.is_some(), "the value was removed");
    }

    async fn a_value_is_stored_in_the_incarnation_of_its_load(w) {
        let (lease, baseline) = w.begin("k", &[]).await?;
        let value = value(b"");
        let request = Fill::new("k", &value, LONG);
        let request = request.expected(lease).incarnation(baseline.incarnation);
        stored(w.provider.fill(request).await?)?;
    }

    async fn a_value_of_a_former_incarnation_is_refused(w) {
        if !w.provider.describe().fenced {
            return Ok(());
        }
        let (lease, baseline) = w.begin("k", &[]).await?;
        let former = Incarnation::new(baseline.incarnation.get() ^ 1);
        let value = value(b"");
        let request = Fill::new("k", &value, LONG).expected(lease).incarnation(former);
        let filled = w.provider.fill(request).await?;
        same!(filled, Filled::Refused(Refusal::Incarnation), "the answer");
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn a_value_of_a_former_incarnation_may_remove_the_cell(w) {
        if !w.provider.describe().fenced {
            return Ok(());
        }
        let (lease, baseline) = w.begin("k", &[]).await?;
        let former = Incarnation::new(baseline.incarnation.get() ^ 1);
        let value = value(b"");
        let request = Fill::new("k", &value, LONG)
            .expected(lease)
            .incarnation(former)
            .on_refused(OnRefused::Remove);
        refused(&w.provider.fill(request).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_fill_without_marks_reports_none(w) {
        same!(stored(w.finish("k", Expected::Anything, &[]).await?)?, [], "the marks");
    }

    async fn a_fill_reports_its_marks_in_order(w) {
        let (a, b) = (Mark::tag("a"), Mark::epoch("b"));
        let stamps = w.create("k", &[a, b]).await?;
        let absent = Mark::tag("absent");
        let states = stored(w.finish("k", Expected::Anything, &[b, absent, a, b]).await?)?;
        let (a, b) = (MarkState::Live(stamps[0]), MarkState::Live(stamps[1]));
        same!(states, [b, MarkState::Absent, a, b], "the marks");
    }

    async fn a_fill_leaves_other_keys_alone(w) {
        let other = w.put("l", LONG).await?;
        let lease = w.lease("k").await?;
        stored(w.finish("k", lease, &[]).await?)?;
        same!(w.prefix("l").await?, other, "the other value");
    }
}
