//! Removing cells and marks by name.

use crate::conformance::world::{LONG, refused};
use crate::provider::{Mark, MarkState, Prefix, Provider, ProviderExt, Removal};

cases! {
    async fn a_removed_cell_is_absent(w) {
        w.put("k", LONG).await?;
        same!(w.provider.remove(Removal::of_keys(&["k"])).await?, 1, "what was removed");
        same!(w.prefix("k").await?, Prefix::ABSENT, "the prefix");
    }

    async fn the_removal_of_what_is_absent_counts_nothing(w) {
        let marks = [Mark::tag("t")];
        let removal = Removal::of_keys(&["k"]).and_marks(&marks);
        same!(w.provider.remove(removal).await?, 0, "what was removed");
    }

    async fn the_removal_of_nothing_counts_nothing(w) {
        w.put("k", LONG).await?;
        same!(w.provider.remove(Removal::default()).await?, 0, "what was removed");
        check!(w.cell("k").await?.is_some(), "the cell was removed");
    }

    async fn the_removal_of_a_lease_ends_the_load(w) {
        let lease = w.lease("k").await?;
        same!(w.provider.remove(Removal::of_keys(&["k"])).await?, 1, "what was removed");
        refused(&w.finish("k", lease, &[]).await?)?;
    }

    async fn cells_and_marks_are_counted_together(w) {
        w.put("k", LONG).await?;
        w.lease("l").await?;
        let marks = [Mark::epoch("t"), Mark::tag("t"), Mark::tag("absent")];
        w.create("k", &marks[..2]).await?;
        let removal = Removal::of_keys(&["k", "absent", "l"]).and_marks(&marks);
        same!(w.provider.remove(removal).await?, 4, "what was removed");
        same!(w.provider.read_marks("k", &marks).await?, [MarkState::Absent; 3], "the marks");
    }

    async fn a_key_that_is_named_twice_counts_once(w) {
        w.put("k", LONG).await?;
        same!(w.provider.remove(Removal::of_keys(&["k", "k"])).await?, 1, "what was removed");
    }

    async fn a_removal_may_be_repeated(w) {
        w.put("k", LONG).await?;
        check!(w.provider.remove_key("k").await?, "nothing was removed");
        check!(!w.provider.remove_key("k").await?, "something was removed twice");
    }

    async fn no_replica_is_waited_for_where_none_is_asked_for(w) {
        let kept = w.put("k", LONG).await?;
        let names = Removal::of_keys(&["k"]);
        same!(w.provider.replicate(names, 0, LONG).await?, 0, "how many replicas have it");
        same!(w.prefix("k").await?, kept, "the cell");
    }

    async fn other_keys_stay(w) {
        let kept = w.put("k:1", LONG).await?;
        w.put("k", LONG).await?;
        w.provider.remove_key("k").await?;
        same!(w.prefix("k:1").await?, kept, "the other cell");
    }

    async fn glob_characters_in_a_removal_stand_for_themselves(w) {
        let kept = w.put("key", LONG).await?;
        w.provider.remove(Removal::of_keys(&["*", "k*", "k?y", "[k]ey"])).await?;
        same!(w.prefix("key").await?, kept, "the cell");
    }

    async fn one_removal_may_name_500_keys(w) {
        let keys: Vec<String> = (0..500).map(|number| format!("key:{number}")).collect();
        for key in &keys {
            w.put(key, LONG).await?;
        }
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        same!(w.provider.remove(Removal::of_keys(&names)).await?, 500, "what was removed");
        for key in &keys {
            same!(w.prefix(key).await?, Prefix::ABSENT, format!("the prefix of {key}"));
        }
    }

    async fn a_key_can_be_stored_again_after_its_removal(w) {
        w.put("k", LONG).await?;
        w.provider.remove_key("k").await?;
        let prefix = w.put("k", LONG).await?;
        same!(w.prefix("k").await?, prefix, "the prefix");
    }
}
