//! Guards: marks that must hold for a fill, though the entry does not carry them.

use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World, refused, stored, value};
use crate::provider::{
    Fill, Filled, Mark, MarkState, OnRefused, Prefix, Provider, ProviderExt, Refusal, Stamp,
};

const FAMILY: Mark<'static> = Mark::epoch("category");

/// Fills `k` over this lease, if the guards hold.
async fn guarded(w: &World, lease: Prefix, guards: &[(Mark<'_>, Stamp)]) -> Verdict<Filled> {
    let value = value(b"guarded");
    let request = Fill::new("k", &value, LONG).expected(lease).guards(guards);
    Ok(w.provider.fill(request).await?)
}

cases! {
    async fn a_guard_that_holds_lets_the_value_in(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        stored(guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn a_removed_guard_refuses(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        w.provider.remove_marks(&[FAMILY]).await?;
        let filled = guarded(w, lease, &[(FAMILY, guard)]).await?;
        same!(filled, Filled::Refused(Refusal::Guard), "the answer");
    }

    async fn a_guard_that_came_back_refuses(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        w.provider.remove_marks(&[FAMILY]).await?;
        w.create("k", &[FAMILY]).await?;
        refused(&guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn a_guard_that_never_was_refuses(w) {
        let lease = w.lease("k").await?;
        refused(&guarded(w, lease, &[(FAMILY, Stamp::from_bytes([9; 8]))]).await?)?;
    }

    async fn a_guard_of_zeros_that_never_was_refuses(w) {
        let lease = w.lease("k").await?;
        let zero = Stamp::new([0; 8], w.provider.read_one("k", &[]).await?.incarnation);
        refused(&guarded(w, lease, &[(FAMILY, zero)]).await?)?;
    }

    async fn a_held_guard_refuses(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        w.provider.hold_marks(&[FAMILY], LONG).await?;
        refused(&guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn an_expired_guard_refuses(w) {
        let baseline = w.provider.ensure_marks("k", &[FAMILY], w.unit).await?;
        let Some(guard) = baseline.marks[0].stamp() else { return Ok(()) };
        let lease = w.lease("k").await?;
        w.outlive(w.unit).await;
        refused(&guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn every_one_of_several_guards_must_hold(w) {
        let marks = [Mark::epoch("a"), Mark::epoch("b"), Mark::epoch("c")];
        let stamps = w.create("k", &marks).await?;
        let lease = w.lease("k").await?;
        let guards: Vec<_> = marks.into_iter().zip(stamps).collect();
        for broken in 0..guards.len() {
            let mut guards = guards.clone();
            guards[broken].1 = Stamp::from_bytes([1; 8]);
            refused(&guarded(w, lease, &guards).await?)?;
        }
        stored(guarded(w, lease, &guards).await?)?;
    }

    async fn the_stamp_of_another_mark_is_no_guard(w) {
        let stamps = w.create("k", &[FAMILY, Mark::tag("category")]).await?;
        let lease = w.lease("k").await?;
        refused(&guarded(w, lease, &[(FAMILY, stamps[1])]).await?)?;
    }

    async fn a_refused_guard_leaves_the_cell(w) {
        let lease = w.lease("k").await?;
        refused(&guarded(w, lease, &[(FAMILY, Stamp::from_bytes([9; 8]))]).await?)?;
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn a_refused_guard_may_remove_the_cell(w) {
        let lease = w.lease("k").await?;
        let (value, guards) = (value(b""), [(FAMILY, Stamp::from_bytes([9; 8]))]);
        let request = Fill::new("k", &value, LONG)
            .expected(lease)
            .guards(&guards)
            .on_refused(OnRefused::Remove);
        refused(&w.provider.fill(request).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_guard_does_not_replace_the_comparison_of_the_cell(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        w.provider.remove_key("k").await?;
        refused(&guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn the_removal_of_a_tag_in_its_family_refuses(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let lease = w.lease("k").await?;
        w.provider.remove_marks(&[FAMILY, Mark::tag("category:5")]).await?;
        refused(&guarded(w, lease, &[(FAMILY, guard)]).await?)?;
    }

    async fn guards_are_not_among_the_reported_marks(w) {
        let guard = w.create("k", &[FAMILY]).await?[0];
        let (lease, baseline) = w.begin("k", &[Mark::tag("t")]).await?;
        let (value, guards, marks) = (value(b""), [(FAMILY, guard)], [Mark::tag("t")]);
        let request =
            Fill::new("k", &value, LONG).expected(lease).guards(&guards).marks(&marks, LONG);
        same!(stored(w.provider.fill(request).await?)?, baseline.marks, "the marks");
    }

    async fn a_guard_that_refused_is_left_as_it_is(w) {
        let lease = w.lease("k").await?;
        refused(&guarded(w, lease, &[(FAMILY, Stamp::from_bytes([9; 8]))]).await?)?;
        same!(w.state("k", FAMILY).await?, MarkState::Absent, "the mark");
    }
}
