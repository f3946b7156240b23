//! One annotated function as the program knows it: what it was given, and its number.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::key::Piece;
use crate::policy::Policy;

/// What the attribute and the signature say.
pub struct SiteSpec {
    /// The function's name.
    pub name: &'static str,
    /// The module it is in.
    pub module: &'static str,
    /// Where it is written.
    pub file: &'static str,
    /// Where it is written.
    pub line: u32,
    /// The key's template as written.
    pub key: &'static str,
    /// The same for rendering; empty where the key is an expression.
    pub pieces: &'static [Piece],
    /// Tag templates as written.
    pub tags: &'static [&'static str],
    /// Tag templates that it invalidates, as written.
    pub invalidates: &'static [&'static str],
    /// What is known of its policy at compile time.
    pub policy: Policy,
    /// The type of what is stored.
    pub value_type: fn() -> &'static str,
}

/// A function's static.
pub struct Site {
    pub(crate) spec: SiteSpec,
    number: AtomicU32,
}

const UNNUMBERED: u32 = u32::MAX;

impl Site {
    /// Makes the static's value.
    #[must_use]
    pub const fn new(spec: SiteSpec) -> Self {
        Self { spec, number: AtomicU32::new(UNNUMBERED) }
    }

    /// The number, if the function was called before.
    #[inline]
    pub(crate) fn number(&self) -> Option<u32> {
        let number = self.number.load(Ordering::Relaxed);
        (number != UNNUMBERED).then_some(number)
    }

    /// The number, given now to all functions of the program if there is none yet. A function of a
    /// library that was loaded later has none.
    pub(crate) fn numbered(&self) -> u32 {
        static NUMBERED: Once = Once::new();
        NUMBERED.call_once(|| {
            for (number, site) in (0..UNNUMBERED).zip(registered()) {
                site.number.store(number, Ordering::Relaxed);
            }
        });
        self.number.load(Ordering::Relaxed)
    }

    /// The key's template.
    pub(crate) fn key(&self) -> &'static str {
        self.spec.key
    }

    /// The function's path.
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.spec.module, self.spec.name)
    }

    /// The name of the tag that everything of this function carries.
    ///
    /// The number tells apart what path and template do not: functions inside functions, and
    /// methods of two types in one module. It holds in this process only.
    pub(crate) fn function_tag(&self) -> String {
        format!("{}:{}#{}", self.path(), self.spec.key, self.numbered())
    }

    /// The same for stores that other processes share: the same in every build of the program in
    /// which the function has this key.
    ///
    /// Functions whose keys have one template store values under the same keys, and so share what
    /// lies there; to invalidate all of one is to invalidate all of the others. That makes the
    /// template the name. Where the key is an expression, the function's path is the name.
    #[cfg(feature = "entry")]
    pub(crate) fn shared_tag(&self) -> String {
        if self.spec.pieces.is_empty() {
            return self.path();
        }
        let mut template = String::new();
        for piece in self.spec.pieces {
            match piece {
                Piece::Text(text) => template.push_str(text),
                Piece::Arg(_) => template.push_str("<>"),
                Piece::TypeName(name) => template.push_str(name()),
            }
        }
        template
    }

    /// Whether a key could be this function's. It may say yes of more keys than the function has.
    #[cfg(feature = "entry")]
    fn could_have(&self, key: &str) -> bool {
        let [first, rest @ ..] = self.spec.pieces else { return false };
        let Some(mut key) = (match literal(first) {
            Some(text) => key.strip_prefix(text),
            None => Some(key),
        }) else {
            return false;
        };
        for (at, piece) in rest.iter().enumerate() {
            let Some(text) = literal(piece) else { continue };
            if at + 1 == rest.len() {
                return key.ends_with(text);
            }
            let Some((_, after)) = key.split_once(text) else { return false };
            key = after;
        }
        key.is_empty() || literal(self.spec.pieces.last().unwrap_or(first)).is_none()
    }
}

#[cfg(feature = "entry")]
fn literal(piece: &Piece) -> Option<&'static str> {
    match piece {
        Piece::Text(text) => Some(text),
        Piece::TypeName(name) => Some(name()),
        Piece::Arg(_) => None,
    }
}

/// The shared tags of the functions of this program whose key this text could be, so that what is
/// stored under it by hand is served by them, and invalidated with all that they cached.
#[cfg(feature = "entry")]
pub(crate) fn shared_tags_of(key: &str, value_type: &str) -> Vec<String> {
    // Of a key that is an expression only the type of its values is known.
    let could_have = |site: &&Site| match site.spec.pieces.is_empty() {
        true => (site.spec.value_type)() == value_type,
        false => site.could_have(key),
    };
    let mut tags: Vec<String> = registered().filter(could_have).map(Site::shared_tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// A site in the list that the linker puts together.
pub struct Registered(pub &'static Site);

inventory::collect!(Registered);

/// All sites of the program.
pub(crate) fn registered() -> impl Iterator<Item = &'static Site> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}
