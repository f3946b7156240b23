//! What a cell may hold.

use crate::ErrorKind;
use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World, lease, value};
use crate::provider::{Fill, Prefix, Provider, ProviderExt};

/// Stores a value with this payload, and reads it back.
async fn survives(w: &World, payload: &[u8]) -> Verdict {
    let stored = value(payload);
    let filled = w.provider.put("k", &stored, LONG).await?;
    check!(filled.is_stored(), "the value was refused: {filled:?}");
    let found = w.cell("k").await?.unwrap_or_default();
    check!(found == stored, "{} bytes came back as {} others", stored.len(), found.len());
    Ok(())
}

cases! {
    async fn every_byte_survives(w) {
        let bytes: Vec<u8> = (0..=255).collect();
        survives(w, &bytes).await?;
    }

    async fn zeros_and_line_ends_survive(w) {
        survives(w, b"\0\0\r\n\0\n\r\0").await?;
    }

    async fn invalid_text_survives(w) {
        survives(w, b"\xff\xfe\xc3\x28\xed\xa0\x80 and more").await?;
    }

    async fn text_of_a_protocol_survives(w) {
        survives(w, b"OK\r\n$-1\r\n+OK\r\n*2\r\n$4\r\nNULL").await?;
    }

    async fn a_value_that_is_all_prefix_survives(w) {
        survives(w, b"").await?;
    }

    async fn a_large_value_survives(w) {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| ((number * 7) >> 3) as u8).collect();
        survives(w, &bytes).await?;
    }

    async fn values_of_every_small_size_survive(w) {
        for size in 0..70 {
            survives(w, &vec![b'x'; size]).await?;
        }
    }

    async fn a_payload_that_looks_like_a_lease_is_a_payload(w) {
        survives(w, lease().as_bytes()).await?;
    }

    async fn a_new_value_takes_the_place_of_the_old(w) {
        w.provider.put("k", &value(b"a rather long first value"), LONG).await?;
        survives(w, b"short").await?;
    }

    async fn a_value_shorter_than_a_prefix_is_an_error(w) {
        for size in [0, 1, Prefix::LENGTH - 1] {
            let answer = w.provider.fill(Fill::new("k", &vec![b'V'; size], LONG)).await;
            let kind = answer.err().map(|error| error.kind());
            same!(kind, Some(ErrorKind::Codec), "the error");
        }
        same!(w.cell("k").await?, None, "the cell");
    }

    async fn a_value_shorter_than_a_prefix_changes_nothing(w) {
        let prefix = w.put("k", LONG).await?;
        check!(w.provider.fill(Fill::new("k", b"V", LONG)).await.is_err(), "no error");
        same!(w.prefix("k").await?, prefix, "the prefix");
    }

    async fn equal_values_of_two_keys_are_two_cells(w) {
        let stored = value(b"same");
        w.provider.put("k", &stored, LONG).await?;
        w.provider.put("l", &stored, LONG).await?;
        w.provider.remove_key("k").await?;
        same!(w.cell("l").await?, Some(stored), "the other cell");
    }
}
