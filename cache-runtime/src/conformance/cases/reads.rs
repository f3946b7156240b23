//! Reading cells together with marks.

use crate::conformance::world::{LONG, value};
use crate::provider::{
    CellKind, Extent, Lookup, Mark, MarkState, Observed, Prefix, Provider, ProviderExt,
};

cases! {
    async fn an_absent_cell_reads_as_nothing(w) {
        let seen = w.provider.read_one("absent", &[]).await?;
        same!(seen.cell, None, "the cell");
        same!(seen.prefix(), Prefix::ABSENT, "the prefix");
    }

    async fn a_stored_value_is_read_back(w) {
        let stored = value(b"hello");
        w.provider.put("k", &stored, LONG).await?;
        same!(w.cell("k").await?, Some(stored), "the cell");
    }

    async fn a_value_may_be_read_many_times(w) {
        let prefix = w.put("k", LONG).await?;
        for _ in 0..10 {
            same!(w.prefix("k").await?, prefix, "the prefix");
        }
    }

    async fn a_read_of_the_prefix_gives_17_bytes(w) {
        let prefix = w.put("k", LONG).await?;
        let cell = w.provider.read_prefix("k", &[]).await?.cell;
        same!(cell.as_deref(), Some(prefix.as_bytes()), "the cell's bytes");
    }

    async fn a_read_of_the_prefix_of_an_absent_cell_gives_nothing(w) {
        same!(w.provider.read_prefix("k", &[]).await?.cell, None, "the cell");
    }

    async fn a_read_of_marks_alone_gives_no_cell(w) {
        w.put("k", LONG).await?;
        let lookup = Lookup::new("k").extent(Extent::Nothing);
        same!(w.provider.read(&[lookup]).await?[0].cell, None, "the cell");
    }

    async fn a_read_sees_a_lease(w) {
        let lease = w.lease("k").await?;
        let seen = w.provider.read_one("k", &[]).await?;
        same!(seen.prefix(), lease, "the prefix");
        same!(seen.prefix().kind(), Some(CellKind::Lease), "the kind");
        same!(seen.cell.as_deref(), Some(lease.as_bytes()), "the cell's bytes");
    }

    async fn a_value_tells_its_kind(w) {
        w.put("k", LONG).await?;
        same!(w.prefix("k").await?.kind(), Some(CellKind::Value), "the kind");
    }

    async fn no_questions_give_no_answers(w) {
        same!(w.provider.read(&[]).await?.len(), 0, "the answers");
    }

    async fn answers_stand_in_the_order_of_the_questions(w) {
        let first = w.put("z", LONG).await?;
        let second = w.put("a", LONG).await?;
        let lookups = ["z", "absent", "a"].map(Lookup::new);
        let seen = w.provider.read(&lookups).await?;
        let found: Vec<Prefix> = seen.iter().map(Observed::prefix).collect();
        same!(found, [first, Prefix::ABSENT, second], "the prefixes");
    }

    async fn one_read_may_name_a_key_twice(w) {
        let prefix = w.put("k", LONG).await?;
        let seen = w.provider.read(&[Lookup::new("k"), Lookup::new("k")]).await?;
        same!(seen.len(), 2, "the answers");
        same!(seen[0].prefix(), prefix, "the first prefix");
        same!(seen[1].prefix(), prefix, "the second prefix");
    }

    async fn one_read_may_mix_extents(w) {
        let stored = value(b"payload");
        w.provider.put("k", &stored, LONG).await?;
        let lookups = [
            Lookup::new("k").extent(Extent::Prefix),
            Lookup::new("k").extent(Extent::Nothing),
            Lookup::new("k"),
        ];
        let seen = w.provider.read(&lookups).await?;
        same!(seen[0].cell.as_deref(), Some(&stored[..Prefix::LENGTH]), "the prefix alone");
        same!(seen[1].cell, None, "nothing");
        same!(seen[2].cell.as_deref(), Some(&stored[..]), "the whole");
    }

    async fn one_read_may_ask_for_200_cells(w) {
        let keys: Vec<String> = (0..200).map(|number| format!("key:{number}")).collect();
        let mut prefixes = Vec::new();
        for key in &keys {
            prefixes.push(w.put(key, LONG).await?);
        }
        let lookups: Vec<Lookup<'_>> = keys.iter().map(|key| Lookup::new(key)).collect();
        let seen = w.provider.read(&lookups).await?;
        let found: Vec<Prefix> = seen.iter().map(Observed::prefix).collect();
        same!(found, prefixes, "the prefixes");
    }

    async fn an_absent_mark_reads_as_absent(w) {
        same!(w.state("k", Mark::tag("t")).await?, MarkState::Absent, "the mark");
    }

    async fn a_read_creates_no_mark(w) {
        w.provider.read_one("k", &[Mark::tag("t")]).await?;
        same!(w.state("k", Mark::tag("t")).await?, MarkState::Absent, "the mark");
    }

    async fn marks_stand_in_the_order_of_the_question(w) {
        let (a, b) = (Mark::tag("a"), Mark::tag("b"));
        let stamps = w.create("k", &[a, b]).await?;
        let asked = [b, Mark::tag("absent"), a, b];
        let seen = w.provider.read_marks("k", &asked).await?;
        let (a, b) = (MarkState::Live(stamps[0]), MarkState::Live(stamps[1]));
        same!(seen, [b, MarkState::Absent, a, b], "the marks");
    }

    async fn each_question_has_its_own_marks(w) {
        let (a, b) = (Mark::tag("a"), Mark::tag("b"));
        let stamps = w.create("k", &[a, b]).await?;
        let (first, second) = ([a], [b, a]);
        let lookups = [Lookup::new("k").marks(&first), Lookup::new("l").marks(&second)];
        let seen = w.provider.read(&lookups).await?;
        let (a, b) = (MarkState::Live(stamps[0]), MarkState::Live(stamps[1]));
        same!(seen[0].marks, [a], "the marks of the first");
        same!(seen[1].marks, [b, a], "the marks of the second");
    }

    async fn a_cell_and_its_marks_come_in_one_read(w) {
        let (lease, baseline) = w.begin("k", &[Mark::tag("t")]).await?;
        let seen = w.provider.read_one("k", &[Mark::tag("t")]).await?;
        same!(seen.prefix(), lease, "the prefix");
        same!(seen.marks, baseline.marks, "the marks");
    }

    async fn the_incarnation_of_a_cell_stays_while_the_server_lives(w) {
        let absent = w.provider.read_one("k", &[]).await?.incarnation;
        let (_, baseline) = w.begin("k", &[]).await?;
        same!(baseline.incarnation, absent, "the incarnation at acquire");
        same!(w.provider.read_one("k", &[]).await?.incarnation, absent, "and at the next read");
    }
}
