//! The fingerprint of a type, from what its `Deserialize` asks for.
//!
//! The type is deserialized from nothing, again and again, by a probe that writes down what it is
//! asked: a struct of this name with these fields, an option, a `u32`. Each time it answers in
//! another way, until every variant of every enum and every element type has been looked at. What
//! was asked is a set of facts, and the fingerprint is the hash of the set.
//!
//! - [`explorer`] runs the search; [`state`] keeps the facts and decides what to answer next.
//! - [`probe`] and [`access`] are what the type talks to.
//! - [`lesson`] is the error type: serde tells errors what was expected, and some types (those
//!   with `flatten`, `untagged` or `tag`) tell their names in no other way.
//! - [`names`] asks a value that could be made for the names of its fields.

mod access;
mod explorer;
mod lesson;
mod names;
mod probe;
mod samples;
mod state;
#[cfg(test)]
mod tests;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::Xxh3;

use super::Schema;
use explorer::Explorer;

/// Changes when the probe asks differently, so that old and new fingerprints never meet by chance.
const VERSION: u8 = 1;

impl Schema {
    /// The fingerprint of a type: the same in every process, on every machine and for every codec.
    ///
    /// Two types have the same one if their `Deserialize` asks for the same: the same names of
    /// types, fields and variants in the same order, and the same primitive types, all the way
    /// down. So a field that was added, removed, renamed, reordered or given another type is a
    /// change; a module that was moved, `Arc<T>` for `T`, or another sequence type is none.
    ///
    /// The order of fields counts although only some codecs need it, since one fingerprint serves
    /// all codecs, so that every build reads what another wrote.
    ///
    /// # What it cannot see
    ///
    /// What a value means: amounts in cents that were in euros before need another key, or a type
    /// of another name. Of a hand-written `Deserialize`, what it would have asked after it refused
    /// every sample that the probe has. Below `flatten`, `untagged` and `tag`, where serde buffers
    /// what it reads: a change between types that accept the same; and fields that may be absent
    /// (`default`, `Option`) are seen only where `Serialize` writes them. What such types expect is
    /// told in serde's words, so an update of serde may make their entries a miss once.
    ///
    /// The type's name without modules stands in for what cannot be seen at all: an impl that
    /// asks for nothing, or a tuple whose elements refuse every sample. Compilers do not promise
    /// that text, so such an entry may be a miss after an update of the compiler.
    ///
    /// # Cost
    ///
    /// Microseconds for small types, milliseconds for large enums, and bounded for all;
    /// [`schema_of`] remembers it. A panic in a foreign `Deserialize` is caught, where panics unwind,
    /// and its message still goes to the panic hook.
    #[must_use]
    pub fn of_type<T: Serialize + DeserializeOwned>() -> Self {
        let mut hash = Xxh3::new();
        hash.update(&[VERSION]);
        let mut is_blank = true;
        // Types such as IP addresses are text in some codecs and numbers in others.
        for is_human_readable in [true, false] {
            let facts = Explorer::explore::<T>(is_human_readable);
            is_blank &= facts.is_empty();
            hash.update(&(facts.len() as u64).to_le_bytes());
            for fact in facts {
                hash.update(&fact.to_le_bytes());
            }
        }
        if is_blank {
            hash.update(without_modules(type_name::<T>()).as_bytes());
        }
        Self(hash.digest())
    }
}

/// [`Schema::of_type`], computed once per type and process.
#[must_use]
pub fn schema_of<T: Serialize + DeserializeOwned + 'static>() -> Schema {
    static KNOWN: RwLock<Option<HashMap<TypeId, Schema>>> = RwLock::new(None);

    let id = TypeId::of::<T>();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = known.as_ref().and_then(|known| known.get(&id)) {
        return *schema;
    }
    drop(known);
    // Not under the lock: a foreign impl may ask for a fingerprint itself.
    let schema = Schema::of_type::<T>();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(id, schema);
    schema
}

/// A type's name with the last segment of each path in it: `Option<shop::User>` is `Option<User>`.
fn without_modules(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut segment = 0;
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::") {
            short.truncate(segment);
            rest = after;
            continue;
        }
        short.push(c);
        if !(c.is_alphanumeric() || c == '_') {
            segment = short.len();
        }
        rest = &rest[c.len_utf8()..];
    }
    short
}
