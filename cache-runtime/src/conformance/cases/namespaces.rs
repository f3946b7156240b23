//! Nothing reaches what lies in another namespace.

use crate::Pattern;
use crate::conformance::world::{LONG, refused, value};
use crate::provider::{Mark, MarkState, Prefix, Provider, ProviderExt, Removal};

const TAG: Mark<'static> = Mark::tag("t");

cases! {
    async fn two_providers_of_one_namespace_share_it(w) {
        let same = w.neighbour("").await?;
        let prefix = w.put("k", LONG).await?;
        let stamps = w.create("k", &[TAG]).await?;
        let seen = same.read_one("k", &[TAG]).await?;
        same!(seen.prefix(), prefix, "the prefix");
        same!(seen.marks, [MarkState::Live(stamps[0])], "the marks");
    }

    async fn an_invalidation_by_one_provider_ends_the_load_of_another(w) {
        let same = w.neighbour("").await?;
        let lease = w.lease("k").await?;
        check!(same.remove_key("k").await?, "the other provider removed nothing");
        refused(&w.finish("k", lease, &[]).await?)?;
    }

    async fn cells_of_two_namespaces_are_apart(w) {
        let other = w.neighbour("-other").await?;
        let own = w.put("k", LONG).await?;
        same!(other.read_one("k", &[]).await?.cell, None, "the other's cell");
        other.put("k", &value(b"other"), LONG).await?;
        same!(w.prefix("k").await?, own, "the own cell");
        other.remove(Removal::of_keys(&["k"])).await?;
        same!(w.prefix("k").await?, own, "the own cell after the other's removal");
    }

    async fn marks_of_two_namespaces_are_apart(w) {
        let other = w.neighbour("-other").await?;
        let own = w.create("k", &[TAG]).await?;
        same!(other.read_marks("k", &[TAG]).await?, [MarkState::Absent], "the other's mark");
        other.hold_marks(&[TAG], LONG).await?;
        other.release_marks(&[TAG]).await?;
        other.remove_marks(&[TAG]).await?;
        same!(w.state("k", TAG).await?, MarkState::Live(own[0]), "the own mark");
    }

    async fn leases_of_two_namespaces_are_apart(w) {
        let other = w.neighbour("-other").await?;
        let lease = w.lease("k").await?;
        check!(!other.release("k", lease).await?, "the lease was released from outside");
        check!(!other.renew("k", lease, LONG).await?, "the lease was renewed from outside");
        check!(other.try_lease("k", lease, LONG).await?, "another namespace's key is busy");
    }

    async fn a_clear_removes_cells_leases_and_marks(w) {
        w.put("k", LONG).await?;
        w.lease("l").await?;
        let marks = [TAG, Mark::epoch("e"), Mark::scope("s")];
        w.create("k", &marks).await?;
        w.provider.clear().await?;
        same!(w.prefix("k").await?, Prefix::ABSENT, "the value");
        same!(w.prefix("l").await?, Prefix::ABSENT, "the lease");
        same!(w.provider.read_marks("k", &marks).await?, [MarkState::Absent; 3], "the marks");
    }

    async fn a_cleared_mark_gets_another_stamp(w) {
        let before = w.create("k", &[TAG]).await?;
        w.provider.clear().await?;
        check!(w.create("k", &[TAG]).await? != before, "a cleared mark came back with its stamp");
    }

    async fn a_clear_of_thousands_of_keys_is_complete(w) {
        for number in 0..1_500 {
            w.put(&format!("k:{number}"), LONG).await?;
        }
        w.provider.clear().await?;
        for number in 0..1_500 {
            same!(w.cell(&format!("k:{number}")).await?, None, "a cell");
        }
    }

    async fn a_clear_of_nothing_is_no_error(w) {
        w.provider.clear().await?;
        w.provider.clear().await?;
    }

    async fn a_cleared_namespace_can_be_used_again(w) {
        w.put("k", LONG).await?;
        w.provider.clear().await?;
        let prefix = w.put("k", LONG).await?;
        same!(w.prefix("k").await?, prefix, "the prefix");
    }

    async fn a_clear_leaves_other_namespaces(w) {
        let other = w.neighbour("-other").await?;
        let stored = value(b"other");
        other.put("k", &stored, LONG).await?;
        let baseline = other.ensure_marks("k", &[TAG], LONG).await?;
        w.provider.clear().await?;
        let seen = other.read_one("k", &[TAG]).await?;
        same!(seen.prefix(), Prefix::of(&stored), "the other's cell");
        same!(seen.marks, baseline.marks, "the other's mark");
    }

    async fn a_clear_leaves_a_namespace_that_begins_alike(w) {
        let longer = w.neighbour("2").await?;
        let stored = value(b"longer");
        longer.put("k", &stored, LONG).await?;
        w.put("k", LONG).await?;
        w.provider.clear().await?;
        same!(longer.read_one("k", &[]).await?.prefix(), Prefix::of(&stored), "the other's cell");
    }

    async fn a_clear_leaves_a_namespace_that_this_one_would_match_as_a_pattern(w) {
        let globbed = w.neighbour("*[x]?").await?;
        let matched = w.neighbour("-matchedxx").await?;
        let stored = value(b"matched");
        matched.put("k", &stored, LONG).await?;
        globbed.put("k", &value(b"globbed"), LONG).await?;
        globbed.clear().await?;
        same!(globbed.read_one("k", &[]).await?.cell, None, "the own cell");
        same!(matched.read_one("k", &[]).await?.prefix(), Prefix::of(&stored), "the other's cell");
    }

    async fn a_pattern_leaves_other_namespaces(w) {
        let other = w.neighbour("-other").await?;
        let stored = value(b"other");
        other.put("k", &stored, LONG).await?;
        w.put("k", LONG).await?;
        same!(w.provider.remove_matching(&Pattern::from("*")).await?, 1, "what was removed");
        same!(other.read_one("k", &[]).await?.prefix(), Prefix::of(&stored), "the other's cell");
    }

    async fn a_pattern_does_not_see_the_namespace(w) {
        w.put("k", LONG).await?;
        let pattern = Pattern::starting_with(w.namespace());
        same!(w.provider.remove_matching(&pattern).await?, 0, "what was removed");
    }

    async fn the_description_tells_the_namespace(w) {
        same!(w.provider.describe().namespace, w.namespace(), "the namespace");
    }
}
