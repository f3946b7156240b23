//! Marks: created by loads, removed by invalidations, compared by everybody.

use std::collections::HashSet;

use crate::conformance::world::{LONG, lease, stamps, stored};
use crate::provider::{
    Acquire, Acquired, Expected, Mark, MarkState, Provider, ProviderExt, Removal,
};

const TAG: Mark<'static> = Mark::tag("t");

cases! {
    async fn an_acquire_creates_its_marks(w) {
        let (_, baseline) = w.begin("k", &[TAG, Mark::epoch("e"), Mark::scope("s")]).await?;
        same!(stamps(&baseline.marks)?.len(), 3, "the live marks");
    }

    async fn an_acquire_tells_what_a_read_tells(w) {
        let marks = [TAG, Mark::epoch("e"), Mark::scope("s")];
        let (_, baseline) = w.begin("k", &marks).await?;
        same!(w.provider.read_marks("k", &marks).await?, baseline.marks, "the marks");
    }

    async fn an_acquire_keeps_marks_that_are_there(w) {
        let before = w.create("k", &[TAG]).await?;
        let (_, baseline) = w.begin("k", &[TAG]).await?;
        same!(stamps(&baseline.marks)?, before, "the stamps");
    }

    async fn an_acquire_creates_only_what_is_absent(w) {
        let before = w.create("k", &[TAG]).await?;
        let (_, baseline) = w.begin("k", &[Mark::tag("new"), TAG]).await?;
        let after = stamps(&baseline.marks)?;
        same!(after[1], before[0], "the stamp of the mark that was there");
        check!(after[0] != after[1], "two marks have one stamp");
    }

    async fn an_acquire_without_marks_reports_none(w) {
        same!(w.begin("k", &[]).await?.1.marks, [], "the marks");
    }

    async fn entries_of_one_tag_share_its_stamp(w) {
        let (_, first) = w.begin("k", &[TAG]).await?;
        let (_, second) = w.begin("l", &[TAG]).await?;
        same!(first.marks, second.marks, "the marks");
    }

    async fn a_mark_named_twice_has_one_stamp(w) {
        let (_, baseline) = w.begin("k", &[TAG, TAG]).await?;
        same!(baseline.marks.len(), 2, "the answers");
        same!(baseline.marks[0], baseline.marks[1], "the marks");
    }

    async fn a_busy_acquire_leaves_marks_that_are_there(w) {
        w.lease("k").await?;
        let before = w.create("k", &[TAG]).await?;
        let request = Acquire::new("k", lease(), LONG).marks(&[TAG], LONG);
        let acquired = w.provider.acquire(request).await?;
        check!(matches!(acquired, Acquired::Busy(_)), "two leases on one cell");
        same!(w.state("k", TAG).await?, MarkState::Live(before[0]), "the mark");
    }

    async fn an_acquire_may_carry_100_marks(w) {
        let names: Vec<String> = (0..100).map(|number| format!("tag:{number}")).collect();
        let marks: Vec<Mark<'_>> = names.iter().map(|name| Mark::tag(name)).collect();
        let (lease, baseline) = w.begin("k", &marks).await?;
        let distinct: HashSet<_> = stamps(&baseline.marks)?.into_iter().collect();
        same!(distinct.len(), 100, "the distinct stamps");
        let states = stored(w.finish("k", lease, &marks).await?)?;
        same!(states, baseline.marks, "the marks at the fill");
    }

    async fn a_fill_reports_what_the_load_began_with(w) {
        let marks = [TAG, Mark::scope("s")];
        let (lease, baseline) = w.begin("k", &marks).await?;
        same!(stored(w.finish("k", lease, &marks).await?)?, baseline.marks, "the marks");
    }

    async fn the_removal_of_a_mark_during_a_load_shows_at_the_fill(w) {
        let (lease, _) = w.begin("k", &[TAG]).await?;
        w.provider.remove_marks(&[TAG]).await?;
        let states = stored(w.finish("k", lease, &[TAG]).await?)?;
        same!(states, [MarkState::Absent], "the marks");
    }

    async fn a_mark_that_came_back_during_a_load_shows_at_the_fill(w) {
        let (lease, baseline) = w.begin("k", &[TAG]).await?;
        w.provider.remove_marks(&[TAG]).await?;
        w.begin("l", &[TAG]).await?;
        let states = stored(w.finish("k", lease, &[TAG]).await?)?;
        check!(states != baseline.marks, "the removed mark came back with its stamp");
    }

    async fn a_fill_creates_no_mark(w) {
        stored(w.finish("k", Expected::Anything, &[TAG]).await?)?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_fill_keeps_the_stamps(w) {
        let before = w.create("k", &[TAG]).await?;
        for _ in 0..5 {
            stored(w.finish("k", Expected::Anything, &[TAG]).await?)?;
        }
        same!(w.state("k", TAG).await?, MarkState::Live(before[0]), "the mark");
    }

    async fn a_removed_mark_is_absent(w) {
        w.create("k", &[TAG]).await?;
        w.provider.remove_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Absent, "the mark");
    }

    async fn a_removed_mark_never_gets_a_former_stamp(w) {
        let mut seen = HashSet::new();
        for _ in 0..100 {
            check!(seen.insert(w.create("k", &[TAG]).await?[0]), "a stamp came back");
            w.provider.remove_marks(&[TAG]).await?;
        }
    }

    async fn the_removal_of_a_mark_leaves_the_cells(w) {
        let (lease, _) = w.begin("k", &[TAG]).await?;
        stored(w.finish("k", lease, &[TAG]).await?)?;
        w.provider.remove_marks(&[TAG]).await?;
        check!(w.cell("k").await?.is_some(), "the cell was removed too");
    }

    async fn the_removal_of_a_mark_leaves_other_marks(w) {
        let others = [Mark::tag("t2"), Mark::tag("T"), Mark::epoch("t"), Mark::scope("t")];
        let before = w.create("k", &others).await?;
        w.create("k", &[TAG]).await?;
        w.provider.remove_marks(&[TAG]).await?;
        let after = stamps(&w.provider.read_marks("k", &others).await?)?;
        same!(after, before, "the other marks");
    }

    async fn the_removal_of_a_cell_leaves_its_marks(w) {
        let (_, baseline) = w.begin("k", &[TAG]).await?;
        w.provider.remove_key("k").await?;
        same!(w.state("k", TAG).await?, baseline.marks[0], "the mark");
    }

    async fn the_release_of_a_lease_leaves_its_marks(w) {
        let (lease, baseline) = w.begin("k", &[TAG]).await?;
        w.provider.release("k", lease).await?;
        same!(w.state("k", TAG).await?, baseline.marks[0], "the mark");
    }

    async fn ensuring_creates_what_is_absent(w) {
        let created = w.create("k", &[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Live(created[0]), "the mark");
    }

    async fn ensuring_keeps_what_is_there(w) {
        let before = w.create("k", &[TAG]).await?;
        let after = w.create("k", &[Mark::tag("new"), TAG]).await?;
        same!(after[1], before[0], "the stamp");
    }

    async fn ensuring_leaves_the_cell_alone(w) {
        w.create("k", &[TAG]).await?;
        same!(w.cell("k").await?, None, "the absent cell");
        let lease = w.lease("k").await?;
        w.create("k", &[TAG]).await?;
        same!(w.prefix("k").await?, lease, "the lease");
    }

    async fn ensuring_no_marks_tells_the_incarnation(w) {
        let baseline = w.provider.ensure_marks("k", &[], LONG).await?;
        same!(baseline.marks, [], "the marks");
        let read = w.provider.read_one("k", &[]).await?.incarnation;
        same!(baseline.incarnation, read, "the incarnation");
    }

    async fn marks_created_beside_an_acquire_are_the_same(w) {
        let (_, baseline) = w.begin("k", &[TAG]).await?;
        same!(w.create("k", &[TAG]).await?, stamps(&baseline.marks)?, "the stamps");
    }

    async fn the_removal_of_a_scope_reaches_the_copies_beside_every_key(w) {
        let scope = [Mark::scope("fn:get_user")];
        let keys: Vec<String> = (0..64).map(|number| format!("user:{number}")).collect();
        for key in &keys {
            let (lease, _) = w.begin(key, &scope).await?;
            stored(w.finish(key, lease, &scope).await?)?;
        }
        w.provider.remove(Removal::of_marks(&scope)).await?;
        for key in &keys {
            same!(w.state(key, scope[0]).await?, MarkState::Absent, format!("the copy of {key}"));
        }
    }

    async fn a_scope_that_came_back_beside_a_key_has_another_stamp(w) {
        let scope = [Mark::scope("fn:get_user")];
        let mut before = Vec::new();
        for number in 0..16 {
            before.push(w.create(&format!("user:{number}"), &scope).await?);
        }
        w.provider.remove(Removal::of_marks(&scope)).await?;
        for (number, before) in before.into_iter().enumerate() {
            let after = w.create(&format!("user:{number}"), &scope).await?;
            check!(after != before, "a removed scope came back with its stamp");
        }
    }
}
