//! Marks on hold: nothing that carries them is valid or stored anew.

use crate::conformance::world::{LONG, stamps, stored};
use crate::provider::{Expected, Mark, MarkState, Provider, ProviderExt, Removal};

const TAG: Mark<'static> = Mark::tag("t");

cases! {
    async fn an_absent_mark_can_be_held(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn a_live_mark_can_be_held(w) {
        w.create("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn several_marks_can_be_held_at_once(w) {
        let marks = [TAG, Mark::epoch("e"), Mark::scope("s")];
        w.provider.hold_marks(&marks, LONG).await?;
        same!(w.provider.read_marks("k", &marks).await?, [MarkState::Held; 3], "the marks");
    }

    async fn to_hold_no_mark_is_no_error(w) {
        w.provider.hold_marks(&[], LONG).await?;
    }

    async fn a_hold_of_one_mark_leaves_the_others(w) {
        let others = [Mark::tag("t2"), Mark::epoch("t"), Mark::scope("t")];
        let before = w.create("k", &others).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(stamps(&w.provider.read_marks("k", &others).await?)?, before, "the other marks");
    }

    async fn a_hold_leaves_the_cells(w) {
        let (lease, _) = w.begin("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn an_acquire_reports_a_held_mark(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        let (_, baseline) = w.begin("k", &[TAG]).await?;
        same!(baseline.marks, [MarkState::Held], "the marks");
    }

    async fn ensuring_reports_a_held_mark(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        let baseline = w.provider.ensure_marks("k", &[TAG], LONG).await?;
        same!(baseline.marks, [MarkState::Held], "the marks");
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark afterwards");
    }

    async fn a_hold_during_a_load_shows_at_the_fill(w) {
        let (lease, _) = w.begin("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(stored(w.finish("k", lease, &[TAG]).await?)?, [MarkState::Held], "the marks");
    }

    async fn a_held_mark_loses_its_stamp_for_good(w) {
        let before = w.create("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.remove_marks(&[TAG]).await?;
        check!(w.create("k", &[TAG]).await? != before, "a held mark came back with its stamp");
    }

    async fn a_hold_ends_into_absence(w) {
        w.create("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_hold_lasts_until_its_end(w) {
        w.provider.hold_marks(&[TAG], w.unit * 2).await?;
        w.advance(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn a_shorter_hold_does_not_end_a_longer_one(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn a_longer_hold_prolongs_a_shorter_one(w) {
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn a_fill_does_not_prolong_a_hold(w) {
        w.provider.hold_marks(&[TAG], w.unit).await?;
        stored(w.finish("k", Expected::Anything, &[TAG]).await?)?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_short_hold_of_a_long_mark_does_not_bring_it_back(w) {
        let before = w.create("k", &[TAG]).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.outlive(w.unit).await;
        check!(w.create("k", &[TAG]).await? != before, "a held mark came back with its stamp");
    }

    async fn the_removal_of_a_mark_ends_its_hold(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.provider.remove(Removal::of_marks(&[TAG])).await?, 1, "what was removed");
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
        w.create("k", &[TAG]).await?;
    }
}
