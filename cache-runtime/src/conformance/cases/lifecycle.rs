//! Signs of life, descriptions, and the end.

use crate::ErrorKind;
use crate::Pattern;
use crate::Result;
use crate::conformance::world::{LONG, lease, value};
use crate::provider::{
    Acquire, Fill, Incarnation, Lookup, Mark, Prefix, Provider, ProviderExt, Removal,
};

fn kind<T>(answer: Result<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind())
}

cases! {
    async fn a_ping_is_answered(w) {
        w.provider.ping().await?;
    }

    async fn the_incarnation_stays_while_the_server_lives(w) {
        let before = w.provider.ping().await?;
        w.put("k", LONG).await?;
        w.provider.clear().await?;
        same!(w.provider.ping().await?, before, "the incarnation");
    }

    async fn a_fenced_store_knows_its_incarnation(w) {
        if w.provider.describe().fenced {
            check!(w.provider.ping().await? != Incarnation::UNKNOWN, "the incarnation is unknown");
            let read = w.provider.read_one("k", &[]).await?.incarnation;
            check!(read != Incarnation::UNKNOWN, "the incarnation of a cell is unknown");
        }
    }

    async fn a_store_has_a_name(w) {
        check!(!w.provider.describe().name.is_empty(), "the name is empty");
        same!(w.provider.describe(), w.provider.describe(), "the description");
    }

    async fn debug_output_tells_no_value(w) {
        w.provider.put("k", &value(b"a secret"), LONG).await?;
        check!(!format!("{:?}", w.provider).contains("a secret"), "a value is in the debug output");
        let seen = w.provider.read_one("k", &[]).await?;
        check!(!format!("{seen:?}").contains("secret"), "a value is in an answer's debug output");
    }

    async fn usage_counts_cells_where_it_can(w) {
        for number in 0..10 {
            w.put(&format!("k:{number}"), LONG).await?;
        }
        w.create("k", &[Mark::tag("t")]).await?;
        let usage = w.provider.usage().await?;
        same!(usage.cells.unwrap_or(10), 10, "the cells");
        let bytes = usage.bytes.unwrap_or(u64::MAX);
        check!(bytes >= 10 * Prefix::LENGTH as u64, "too few bytes: {usage:?}");
    }

    async fn usage_shrinks_with_removals_where_it_can_tell(w) {
        w.put("k", LONG).await?;
        w.provider.remove_key("k").await?;
        same!(w.provider.usage().await?.cells.unwrap_or(0), 0, "the cells");
    }

    async fn after_its_shutdown_every_step_fails(w) {
        let provider = w.neighbour("").await?;
        provider.shutdown().await?;
        let (value, pattern) = (value(b""), Pattern::from("*"));
        let down = Some(ErrorKind::Shutdown);
        same!(kind(provider.read(&[Lookup::new("k")]).await), down, "`read`");
        same!(kind(provider.acquire(Acquire::new("k", lease(), LONG)).await), down, "`acquire`");
        same!(kind(provider.fill(Fill::new("k", &value, LONG)).await), down, "`fill`");
        same!(kind(provider.renew("k", lease(), LONG).await), down, "`renew`");
        same!(kind(provider.release("k", lease()).await), down, "`release`");
        same!(kind(provider.ensure_marks("k", &[], LONG).await), down, "`ensure_marks`");
        same!(kind(provider.hold_marks(&[], LONG).await), down, "`hold_marks`");
        same!(kind(provider.release_marks(&[]).await), down, "`release_marks`");
        same!(kind(provider.remove(Removal::default()).await), down, "`remove`");
        same!(kind(provider.remove_matching(&pattern).await), down, "`remove_matching`");
        same!(kind(provider.clear().await), down, "`clear`");
        same!(kind(provider.ping().await), down, "`ping`");
        same!(kind(provider.usage().await), down, "`usage`");
    }

    async fn a_shutdown_may_be_repeated(w) {
        let provider = w.neighbour("").await?;
        provider.shutdown().await?;
        provider.shutdown().await?;
    }

    async fn a_shutdown_leaves_other_providers_and_the_data(w) {
        let prefix = w.put("k", LONG).await?;
        w.neighbour("").await?.shutdown().await?;
        same!(w.prefix("k").await?, prefix, "the prefix");
        w.put("k", LONG).await?;
    }
}
