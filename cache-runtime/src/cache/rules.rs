//! The protocol's rules as switches, so that tests can see that each of them is needed.
//!
//! Without the feature `testing` every rule is kept, and the compiler knows it.

/// A rule of the protocol that a test may switch off, to see what it is for.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "testing"), allow(unreachable_pub, reason = "only tests name it"))]
pub enum Rule {
    /// What was stored in a former life of the server is not served, nor is a load that began in one
    /// stored.
    Fence,
    /// A load's result is taken by those who joined in time, others start over (join rule J).
    Join,
    /// The tags' nonces that lie in an entry are from before its load (rule A2).
    NonceOrder,
    /// A copy is kept near only if nothing about it changed since it was asked for.
    InstallGuard,
    /// Copies are served without asking only while the store shows signs of life.
    Heartbeat,
}

/// Which rules are kept: all of them, unless a test wants to see what happens then.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    #[cfg(feature = "testing")]
    off: u8,
}

impl Rules {
    #[cfg(not(feature = "testing"))]
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "with the feature `testing` it decides")]
    pub(crate) const fn keep(self, _rule: Rule) -> bool {
        true
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn keep(self, rule: Rule) -> bool {
        self.off & (1 << rule as u8) == 0
    }

    /// All of them but this one.
    #[cfg(feature = "testing")]
    pub(crate) const fn without(self, rule: Rule) -> Self {
        Self { off: self.off | (1 << rule as u8) }
    }
}
