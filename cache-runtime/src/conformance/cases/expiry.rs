//! TTLs: obeyed, never for ever, and what has expired is never seen again.

use std::time::Duration;

use crate::Pattern;
use crate::conformance::world::{LONG, lease, refused, stored, value};
use crate::provider::{
    Acquire, Expected, Fill, Mark, MarkState, Prefix, Provider, ProviderExt, Removal,
};

cases! {
    async fn a_value_expires(w) {
        w.put("k", w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_value_lives_until_its_ttl_is_over(w) {
        let prefix = w.put("k", w.unit * 2).await?;
        w.advance(w.unit).await;
        same!(w.prefix("k").await?, prefix, "the prefix");
    }

    async fn a_read_does_not_prolong_a_value(w) {
        w.put("k", w.unit).await?;
        w.advance(w.unit / 2).await;
        w.cell("k").await?;
        w.outlive(w.unit / 2).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_longer_ttl_takes_the_place_of_a_shorter(w) {
        w.put("k", w.unit).await?;
        let prefix = w.put("k", LONG).await?;
        w.outlive(w.unit).await;
        same!(w.prefix("k").await?, prefix, "the prefix");
    }

    async fn a_shorter_ttl_takes_the_place_of_a_longer(w) {
        w.put("k", LONG).await?;
        w.put("k", w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_zero_ttl_is_the_shortest_and_not_for_ever(w) {
        w.put("k", Duration::ZERO).await?;
        w.outlive(Duration::ZERO).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_ttl_below_a_millisecond_is_not_for_ever(w) {
        w.put("k", Duration::from_nanos(1)).await?;
        w.outlive(Duration::from_millis(1)).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn the_longest_ttl_is_accepted(w) {
        let prefix = w.put("k", Duration::MAX).await?;
        w.advance(w.unit).await;
        same!(w.prefix("k").await?, prefix, "the prefix");
    }

    async fn a_lease_expires(w) {
        check!(w.provider.try_lease("k", lease(), w.unit).await?, "no lease on an absent cell");
        w.outlive(w.unit).await;
        same!(w.prefix("k").await?, Prefix::ABSENT, "the prefix");
    }

    async fn an_expired_lease_lets_others_acquire(w) {
        check!(w.provider.try_lease("k", lease(), w.unit).await?, "no lease on an absent cell");
        w.outlive(w.unit).await;
        w.lease("k").await?;
    }

    async fn an_expired_lease_cannot_be_filled(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit).await?, "no lease on an absent cell");
        w.outlive(w.unit).await;
        refused(&w.finish("k", lease, &[]).await?)?;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn an_expired_lease_cannot_be_renewed(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit).await?, "no lease on an absent cell");
        w.outlive(w.unit).await;
        check!(!w.provider.renew("k", lease, LONG).await?, "the lease was renewed");
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn an_expired_lease_cannot_be_released(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit).await?, "no lease on an absent cell");
        w.outlive(w.unit).await;
        check!(!w.provider.release("k", lease).await?, "the lease was released");
    }

    async fn a_renewed_lease_lives_on(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit).await?, "no lease on an absent cell");
        check!(w.provider.renew("k", lease, LONG).await?, "the lease was not renewed");
        w.outlive(w.unit).await;
        same!(w.prefix("k").await?, lease, "the prefix");
    }

    async fn a_renewed_lease_expires_by_its_new_ttl(w) {
        let lease = w.lease("k").await?;
        check!(w.provider.renew("k", lease, w.unit).await?, "the lease was not renewed");
        w.outlive(w.unit).await;
        same!(w.prefix("k").await?, Prefix::ABSENT, "the prefix");
    }

    async fn a_filled_value_does_not_expire_with_the_lease(w) {
        let lease = lease();
        check!(w.provider.try_lease("k", lease, w.unit).await?, "no lease on an absent cell");
        stored(w.finish("k", lease, &[]).await?)?;
        w.outlive(w.unit).await;
        check!(w.cell("k").await?.is_some(), "the value expired with the lease");
    }

    async fn an_expired_value_counts_as_absent(w) {
        let prefix = w.put("k", w.unit).await?;
        w.outlive(w.unit).await;
        refused(&w.finish("k", prefix, &[]).await?)?;
        stored(w.finish("k", Expected::ABSENT, &[]).await?)?;
    }

    async fn the_removal_of_an_expired_value_counts_nothing(w) {
        w.put("k", w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.provider.remove(Removal::of_keys(&["k"])).await?, 0, "what was removed");
    }

    async fn a_pattern_does_not_count_expired_values(w) {
        w.put("k:1", w.unit).await?;
        w.put("k:2", LONG).await?;
        w.outlive(w.unit).await;
        same!(w.provider.remove_matching(&Pattern::from("k:*")).await?, 1, "what was removed");
    }

    async fn a_mark_expires_into_absence(w) {
        w.provider.ensure_marks("k", &[Mark::tag("t")], w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", Mark::tag("t")).await?, MarkState::Absent, "the mark");
    }

    async fn a_mark_that_expired_gets_another_stamp(w) {
        let before = w.provider.ensure_marks("k", &[Mark::tag("t")], w.unit).await?.marks;
        w.outlive(w.unit).await;
        let after = w.provider.ensure_marks("k", &[Mark::tag("t")], w.unit).await?.marks;
        check!(before != after, "an expired mark came back with its stamp");
    }

    async fn a_mark_of_an_acquire_lives_for_the_marks_ttl(w) {
        let marks = [Mark::tag("t")];
        let request = Acquire::new("k", lease(), w.unit).marks(&marks, w.unit * 4);
        w.provider.acquire(request).await?;
        w.outlive(w.unit).await;
        check!(w.state("k", Mark::tag("t")).await? != MarkState::Absent, "the mark has expired");
        w.outlive(w.unit * 3).await;
        same!(w.state("k", Mark::tag("t")).await?, MarkState::Absent, "the mark");
    }

    async fn a_fill_prolongs_its_marks(w) {
        let marks = [Mark::tag("t")];
        let lease = lease();
        w.provider.acquire(Acquire::new("k", lease, LONG).marks(&marks, w.unit)).await?;
        let before = w.state("k", marks[0]).await?;
        stored(w.finish("k", lease, &marks).await?)?;
        w.outlive(w.unit).await;
        same!(w.state("k", marks[0]).await?, before, "the mark");
    }

    async fn a_fill_never_shortens_a_mark(w) {
        let marks = [Mark::tag("t")];
        let (lease, baseline) = w.begin("k", &marks).await?;
        let value = value(b"");
        let request = Fill::new("k", &value, w.unit).expected(lease).marks(&marks, w.unit);
        stored(w.provider.fill(request).await?)?;
        w.outlive(w.unit).await;
        same!(w.state("k", marks[0]).await?, baseline.marks[0], "the mark");
    }

    async fn an_acquire_never_shortens_a_mark(w) {
        let marks = [Mark::tag("t")];
        let stamps = w.create("k", &marks).await?;
        w.provider.acquire(Acquire::new("k", lease(), LONG).marks(&marks, w.unit)).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", marks[0]).await?, MarkState::Live(stamps[0]), "the mark");
    }

    async fn ensuring_never_shortens_a_mark(w) {
        let marks = [Mark::tag("t")];
        let stamps = w.create("k", &marks).await?;
        w.provider.ensure_marks("k", &marks, w.unit).await?;
        w.outlive(w.unit).await;
        same!(w.state("k", marks[0]).await?, MarkState::Live(stamps[0]), "the mark");
    }

    async fn a_refused_fill_does_not_prolong_the_cell(w) {
        check!(w.provider.try_lease("k", lease(), w.unit).await?, "no lease on an absent cell");
        refused(&w.finish("k", lease(), &[]).await?)?;
        w.outlive(w.unit).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_busy_acquire_does_not_prolong_the_cell(w) {
        check!(w.provider.try_lease("k", lease(), w.unit).await?, "no lease on an absent cell");
        check!(!w.provider.try_lease("k", lease(), LONG).await?, "two leases on one cell");
        w.outlive(w.unit).await;
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn the_renewal_by_another_does_not_prolong_the_cell(w) {
        check!(w.provider.try_lease("k", lease(), w.unit).await?, "no lease on an absent cell");
        check!(!w.provider.renew("k", lease(), LONG).await?, "another's lease was renewed");
        w.outlive(w.unit).await;
        same!(w.cell("k").await?, None, "the cell");
    }
}
