//! What is cached.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::workload::ENTRIES;

/// A value of about 200 bytes in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The number that it is asked for by.
    pub id: u64,
    /// A text.
    pub name: String,
    /// A text.
    pub email: String,
    /// A text.
    pub street: String,
    /// A text.
    pub city: String,
    /// A number.
    pub team: u32,
    /// A larger number.
    pub created: u64,
    /// Something small.
    pub active: bool,
}

static LOADS: AtomicU64 = AtomicU64::new(0);

/// How often a profile was loaded: while hits are timed, not once.
#[must_use]
pub fn loads() -> u64 {
    LOADS.load(Ordering::Relaxed)
}

/// The profile with this number; counted as a load.
#[must_use]
pub fn load(id: u64) -> Profile {
    LOADS.fetch_add(1, Ordering::Relaxed);
    profile(id)
}

/// The profile with this number.
#[must_use]
pub fn profile(id: u64) -> Profile {
    Profile {
        id,
        name: format!("Somebody Numbered {id}"),
        email: format!("somebody.numbered.{id}@example.org"),
        street: format!("{} Long Winding Road", id % 997),
        city: "Stratford-upon-Avon".to_owned(),
        team: team_of(id),
        created: 1_700_000_000_000 + id,
        active: true,
    }
}

/// The team of the profile with this number, which has a tag of its own.
#[must_use]
pub fn team_of(id: u64) -> u32 {
    (id % 64) as u32
}

/// The numbers of the profiles that are stored while hits are timed.
pub fn stored() -> impl Iterator<Item = u64> {
    0..u64::from(ENTRIES)
}

#[cfg(test)]
mod tests {
    use super::profile;

    #[test]
    fn a_profile_has_about_two_hundred_bytes() {
        let bytes = serde_json::to_vec(&profile(4_242)).expect("plain data").len();
        assert!((190..=220).contains(&bytes), "{bytes} bytes");
    }
}
