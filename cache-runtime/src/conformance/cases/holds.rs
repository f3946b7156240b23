//! Marks on hold: nothing that carries them is valid or stored anew.

use crate::Pattern;
use crate::conformance::world::{LONG, stamps, stored};
use crate::provider::{Expected, Mark, MarkState, Provider, ProviderExt, Removal, SWEEP};

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
        w.provider.release_marks(&[TAG]).await?;
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

    async fn a_released_mark_is_absent(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
        w.create("k", &[TAG]).await?;
    }

    async fn a_mark_is_held_until_every_holder_has_released_it(w) {
        for _ in 0..3 {
            w.provider.hold_marks(&[TAG], LONG).await?;
        }
        for left in [2, 1] {
            w.provider.release_marks(&[TAG]).await?;
            same!(w.state("k", TAG).await?, MarkState::Held, format!("with {left} holders left"));
        }
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn more_than_ten_holders_are_counted(w) {
        for _ in 0..12 {
            w.provider.hold_marks(&[TAG], LONG).await?;
        }
        for _ in 0..11 {
            w.provider.release_marks(&[TAG]).await?;
            same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
        }
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_mark_that_is_named_twice_is_held_and_released_twice(w) {
        w.provider.hold_marks(&[TAG, TAG], LONG).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark after one release");
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.release_marks(&[TAG, TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark after all");
    }

    async fn a_release_does_not_shorten_the_other_holds(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.provider.release_marks(&[TAG]).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn holds_that_nobody_releases_end_together(w) {
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_hold_that_has_ended_does_not_count(w) {
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.outlive(w.unit).await;
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_hold_that_has_ended_does_not_count_beside_another(w) {
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.outlive(w.unit).await;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_release_ends_the_hold_that_would_end_first(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.hold_marks(&[TAG], w.unit).await?;
        w.provider.release_marks(&[TAG]).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn the_release_of_a_mark_that_is_not_held_removes_it(w) {
        let before = w.create("k", &[TAG]).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
        check!(w.create("k", &[TAG]).await? != before, "a removed mark came back with its stamp");
    }

    async fn the_release_of_an_absent_mark_is_no_error(w) {
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
        w.provider.release_marks(&[]).await?;
    }

    async fn a_release_of_one_mark_leaves_the_others(w) {
        let live = [Mark::tag("t2"), Mark::epoch("t")];
        let before = w.create("k", &live).await?;
        w.provider.hold_marks(&[TAG, Mark::scope("t")], LONG).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(stamps(&w.provider.read_marks("k", &live).await?)?, before, "the live marks");
        same!(w.state("k", Mark::scope("t")).await?, MarkState::Held, "the held mark");
    }

    async fn a_release_leaves_the_cells(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        let lease = w.lease("t").await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.prefix("t").await?, lease, "the prefix");
    }

    async fn the_copies_of_a_scope_are_held_and_released_together(w) {
        let scope = Mark::scope("s");
        w.provider.hold_marks(&[scope], LONG).await?;
        w.provider.hold_marks(&[scope], LONG).await?;
        for wanted in [MarkState::Held, MarkState::Absent] {
            w.provider.release_marks(&[scope]).await?;
            for number in 0..40 {
                let key = format!("k:{number}");
                same!(w.state(&key, scope).await?, wanted, format!("the copy beside {key}"));
            }
        }
    }

    async fn a_removal_leaves_a_held_mark_held(w) {
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.provider.remove(Removal::of_marks(&[TAG])).await?, 0, "what was removed");
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark after its release");
    }

    async fn a_removal_beside_a_held_mark_removes_all_else(w) {
        let marks = [TAG, Mark::epoch("e"), Mark::tag("u"), Mark::tag("absent")];
        w.put("k", LONG).await?;
        w.create("k", &marks[1..3]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        let removal = Removal::of_keys(&["k", "absent"]).and_marks(&marks);
        same!(w.provider.remove(removal).await?, 3, "what was removed");
        let wanted = [MarkState::Held, MarkState::Absent, MarkState::Absent, MarkState::Absent];
        same!(w.provider.read_marks("k", &marks).await?, wanted, "the marks");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_removal_neither_adds_nor_ends_holds(w) {
        for _ in 0..2 {
            w.provider.hold_marks(&[TAG], LONG).await?;
        }
        let marks = [TAG, Mark::epoch("e"), Mark::tag("u"), Mark::tag("v")];
        w.provider.remove_marks(&marks).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark with one holder left");
        w.provider.remove_marks(&marks).await?;
        w.provider.release_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark with no holder left");
    }

    async fn a_removal_leaves_nothing_blocked(w) {
        let marks = [TAG, Mark::epoch("e"), Mark::scope("s"), Mark::tag("u"), Mark::tag("v")];
        let removal = Removal::of_keys(&["k", "l", "m"]).and_marks(&marks);
        w.provider.remove(removal).await?;
        w.create("k", &marks).await?;
        for key in ["k", "l", "m"] {
            w.lease(key).await?;
        }
    }

    async fn a_sweep_leaves_nothing_blocked(w) {
        for _ in 0..2 {
            w.provider.remove_matching(&Pattern::from("x*")).await?;
            w.provider.clear().await?;
        }
        w.create("k", &[SWEEP]).await?;
    }

    async fn a_pattern_leaves_held_marks(w) {
        w.put("k", LONG).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        same!(w.provider.remove_matching(&Pattern::from("*")).await?, 1, "what was removed");
        same!(w.state("k", TAG).await?, MarkState::Held, "the mark");
    }

    async fn a_clear_leaves_held_marks(w) {
        w.create("k", &[Mark::tag("u")]).await?;
        w.provider.hold_marks(&[TAG], LONG).await?;
        w.provider.clear().await?;
        let found = w.provider.read_marks("k", &[TAG, Mark::tag("u")]).await?;
        same!(found, [MarkState::Held, MarkState::Absent], "the marks");
        w.provider.release_marks(&[TAG]).await?;
    }
}
