//! From physical names that have changed to what a watcher is told.

use std::time::Duration;

use super::names::Names;
use crate::provider::{Changed, Sign, Watch};

/// Hears of names, and tells a watcher what lies under them.
#[derive(Debug)]
pub(crate) struct Listener {
    names: Names,
    watch: Watch,
}

impl Listener {
    pub(super) fn new(names: Names, watch: Watch) -> Self {
        Self { names, watch }
    }
}

#[cfg_attr(not(any(feature = "redis", test)), expect(dead_code, reason = "REST tells no changes"))]
impl Listener {
    /// What every name of the namespace begins with; no name of another one does.
    pub(crate) fn prefix(&self) -> &[u8] {
        self.names.head()
    }

    /// The time between two signs of life.
    pub(crate) fn every(&self) -> Duration {
        self.watch.every
    }

    /// Whether there is nobody to tell any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.watch.watcher.strong_count() == 0
    }

    /// Something under these names has changed. Names that are none of ours are passed over.
    pub(crate) fn changed<'n>(&self, names: impl Iterator<Item = &'n [u8]>) {
        let Some(watcher) = self.watch.watcher.upgrade() else { return };
        for name in names {
            if let Some(what) = self.names.changed_in(name) {
                watcher.changed(what);
            }
        }
    }

    /// Anything may have changed.
    pub(crate) fn everything(&self) {
        if let Some(watcher) = self.watch.watcher.upgrade() {
            watcher.changed(Changed::Everything);
        }
    }

    /// The servers are asked for a sign of life now; `None` if there is nobody to tell.
    pub(crate) fn asking(&self) -> Option<Sign> {
        Some(self.watch.watcher.upgrade()?.asking())
    }

    /// All servers gave the sign of life.
    pub(crate) fn alive(&self, asked: Sign) {
        if let Some(watcher) = self.watch.watcher.upgrade() {
            watcher.alive(asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, Weak};
    use std::time::Duration;

    use super::Listener;
    use crate::provider::commands::names::Names;
    use crate::provider::{Changed, Sign, Watch, Watcher};

    #[derive(Debug, Default)]
    struct Notes {
        told: Mutex<Vec<String>>,
        asked: AtomicU64,
    }

    impl Watcher for Notes {
        fn changed(&self, what: Changed<'_>) {
            self.told.lock().unwrap().push(format!("{what:?}"));
        }

        fn asking(&self) -> Sign {
            Sign::new(7, self.asked.fetch_add(1, Ordering::Relaxed), 0)
        }

        fn alive(&self, asked: Sign) {
            self.told.lock().unwrap().push(format!("alive {} {}", asked.life(), asked.moment()));
        }
    }

    fn listener(buckets: u16) -> (Arc<Notes>, Listener) {
        let notes = Arc::new(Notes::default());
        let watcher: Weak<dyn Watcher> = Arc::downgrade(&(notes.clone() as Arc<dyn Watcher>));
        let watch = Watch { watcher, every: Duration::from_secs(1) };
        (notes, Listener::new(Names::new("a:b", buckets, 1_000), watch))
    }

    fn told(buckets: u16, names: &[&str]) -> Vec<String> {
        let (notes, listener) = listener(buckets);
        listener.changed(names.iter().map(|name| name.as_bytes()));
        notes.told.lock().unwrap().clone()
    }

    #[test]
    fn names_are_told_as_what_lies_under_them() {
        let names = ["a%3Ab:k:user:1", "a%3Ab:t:users", "a%3Ab:e:users", "a%3Ab:s:fn:f"];
        let expected = [
            "Cell(\"user:1\")",
            "Mark(Mark { kind: Tag, name: \"users\" })",
            "Mark(Mark { kind: Epoch, name: \"users\" })",
            "Mark(Mark { kind: Scope, name: \"fn:f\" })",
        ];
        assert_eq!(told(1, &names), expected);
    }

    #[test]
    fn every_copy_of_a_scope_is_the_same_mark() {
        let scope = "Mark(Mark { kind: Scope, name: \"f\" })";
        assert_eq!(told(64, &["a%3Ab:s:{0}:f", "a%3Ab:s:{63}:f"]), [scope, scope]);
        assert_eq!(told(64, &["a%3Ab:k:{3}:{4}:"]), ["Cell(\"{4}:\")"]);
    }

    #[test]
    fn names_of_others_are_passed_over() {
        let others = ["", "a", "a%3Ab", "a%3Ab:", "a%3Ab:x:1", "a%3Ab:k1", "a%3Abc:k:1", "k:1"];
        assert!(told(1, &others).is_empty());
        assert!(told(64, &["a%3Ab:k:1", "a%3Ab:k:{64}:1", "a%3Ab:k:{01}:1"]).is_empty());
    }

    #[test]
    fn a_watcher_that_is_gone_is_told_nothing_and_not_kept() {
        let (notes, listener) = listener(1);
        let sign = listener.asking().unwrap();
        listener.alive(sign);
        listener.everything();
        assert_eq!(*notes.told.lock().unwrap(), ["alive 7 0", "Everything"]);
        assert!(!listener.is_gone());
        drop(notes);
        assert!(listener.is_gone());
        assert_eq!(listener.asking(), None);
        listener.changed([&b"a%3Ab:k:1"[..]].into_iter());
        listener.everything();
        listener.alive(sign);
    }
}
