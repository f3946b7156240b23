//! One question to whichever store a cache has: in this process, outside it, or nowhere.

use super::core::{Core, Look, Request, Seen, Tier, kind};
use super::steps::{Life, check_key};
use super::value::{Cacheable, Cached};
use crate::clock::{Tick, duration};
use crate::error::Result;
use crate::near::meta::unused_number;
use crate::pattern::Pattern;
use crate::site::Site;
use crate::stats::{Counters, MissReason, count};
use crate::tag::Tag;
use std::time::Duration;

impl Core {
    /// Looks a key up; whatever does not verify is a miss.
    pub(crate) async fn look(&self, request: &Request) -> Look {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.look(self, request).await,
            _ => self.look_here(request),
        }
    }

    /// Looks a key up in the store itself, past copies that are kept near.
    pub(crate) async fn look_past_copies(&self, request: &Request) -> Look {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.look_past_copies(self, request).await,
            _ => self.look_here(request),
        }
    }

    /// Whether it is known which store is meant: whoever invalidates, or replaces a value, must not be
    /// told that it is done where it is not.
    ///
    /// # Errors
    ///
    /// What is wrong with the environment that the cache was made from.
    pub(crate) fn check_sound(&self) -> Result<()> {
        match &self.tier {
            Tier::Off(Some(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Whether looking costs a round trip, so that loads under way are asked first.
    pub(crate) fn asks_loads_first(&self) -> bool {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => true,
            _ => false,
        }
    }

    /// Whether a load's result is only for those who joined it in time (rule J): always, but for
    /// tests that look what the rule is for.
    pub(crate) fn follows_join_rule(&self) -> bool {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.rules.keep(super::rules::Rule::Join),
            _ => true,
        }
    }

    /// Whether this is what a caller goes on with that the store left without an answer.
    pub(crate) fn is_unanswered(&self, seen: &Seen) -> bool {
        self.asks_loads_first() && matches!(seen, Seen::Here(_))
    }

    /// Whether this was less than the budget of one operation ago.
    pub(crate) fn is_recent(&self, then: Tick) -> bool {
        let budget = match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.budget(),
            _ => Duration::ZERO,
        };
        duration(self.clock.now().saturating_sub(then)) < budget
    }

    /// Whether values are served in this process by the functions' arguments, without the key.
    pub(crate) fn has_indexes(&self) -> bool {
        match &self.tier {
            Tier::Memory(_) => true,
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => {
                remote.near().is_some_and(|near| near.bound().is_some() && near.is_told())
            }
            Tier::Off(_) => false,
        }
    }

    /// How often this process has invalidated anything in a store outside it: loads that began
    /// earlier may be doomed.
    pub(crate) fn removals(&self) -> u64 {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.removals(),
            _ => 0,
        }
    }

    /// Fresh values under these keys, read as they are; the counters are those of the keys.
    pub(crate) async fn get_many<T: Cacheable>(
        &self,
        texts: &[String],
        counters: &[std::sync::Arc<Counters>],
    ) -> Result<Vec<Option<T>>> {
        let found: Vec<Result<T, MissReason>> = match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.get_many(self, texts).await.inspect_err(|_| {
                for counters in counters {
                    counters.miss(MissReason::Unavailable);
                    count(&counters.errors);
                }
            })?,
            _ => texts.iter().map(|text| self.get_here(text)).collect(),
        };
        let each = found.into_iter().zip(texts).zip(counters);
        Ok(each
            .map(|((found, text), counters)| {
                report_read(text, counters, found.as_ref().err().copied());
                found.ok()
            })
            .collect())
    }

    /// A fresh value under a key; counts as no read.
    pub(crate) async fn peek<T: Cacheable>(&self, request: &Request) -> Option<T> {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => match self.look(request).await {
                Look::Hit { value: Cached::Value(value), stale: false, .. } => {
                    value.downcast_ref::<T>().cloned()
                }
                _ => None,
            },
            _ => self.peek_here(request),
        }
    }

    /// Whether a key holds a fresh value; counts as no read.
    pub(crate) async fn has(&self, text: &str) -> Result<bool> {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.has(self, text).await,
            _ => Ok(self.has_here(text)),
        }
    }

    /// Stores a value whatever the key holds (`set`): loads in flight lose their lease.
    pub(crate) async fn put(&self, request: &Request, value: Cached, ttl: Duration) -> Result<()> {
        check_key("set", &request.text)?;
        self.check_sound()?;
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.put(self, request, &value, ttl).await,
            _ => {
                let (tags, began) = (self.see_tags(&request.tags), unused_number());
                let life = Life::new(self, &request.policy, ttl, tags, Duration::ZERO, began);
                self.put_here(request, &value, &life)
            }
        }
    }

    /// Removes a key: its value, its lease, and the claim of whoever writes it through. Returns
    /// whether there was anything: in this process a value that a read would have been served,
    /// outside it a value or a load under way.
    pub(crate) async fn remove(&self, text: &str) -> Result<bool> {
        self.check_sound()?;
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.remove(self, text).await,
            _ => Ok(self.remove_here(text)),
        }
    }

    /// Invalidates all that carries a function's name.
    pub(crate) async fn remove_function(&self, name: &str) -> Result<()> {
        self.check_sound()?;
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.remove_function(name).await,
            _ => {
                self.invalidate_name(name);
                Ok(())
            }
        }
    }

    /// Removes the keys that fit a pattern; returns how many.
    pub(crate) async fn remove_matching(&self, pattern: &Pattern) -> Result<u64> {
        self.check_sound()?;
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.remove_matching(pattern).await,
            _ => Ok(self.remove_where(|text| {
                text.strip_prefix(self.namespace.as_str()).is_some_and(|text| pattern.matches(text))
            })),
        }
    }

    /// Removes everything of this cache's namespace.
    pub(crate) async fn clear(&self) -> Result<()> {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.clear().await,
            _ => self.remove_matching(&Pattern::from("*")).await.map(|_| ()),
        }
    }

    /// The whole name of all that a function caches.
    pub(crate) fn function_name(&self, site: &'static Site) -> String {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => format!("{}{}", kind::FUNCTION, site.shared_tag()),
            _ => format!("{}{}{}", kind::FUNCTION, self.namespace, site.function_tag()),
        }
    }

    /// The whole names of all that those functions cache whose key this could be: in this process
    /// entries learn it when they are met, outside it they have to be stored with it.
    pub(crate) fn function_names<T: 'static>(&self, text: &str) -> Vec<String> {
        match &self.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => {
                let name = |tag: String| format!("{}{tag}", kind::FUNCTION);
                let value_type = std::any::type_name::<T>();
                crate::site::shared_tags_of(text, value_type).into_iter().map(name).collect()
            }
            _ => {
                // The type of the value counts for a store outside the process alone.
                let _ = (text, std::marker::PhantomData::<T>);
                Vec::new()
            }
        }
    }

    /// How many values there are, and about how many bytes they take, as far as can be told.
    pub(crate) async fn size(&self) -> (Option<u64>, Option<u64>) {
        match &self.tier {
            Tier::Off(_) => (Some(0), Some(0)),
            Tier::Memory(store) => {
                let (entries, bytes) = store.size();
                (Some(entries), Some(bytes))
            }
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.size().await,
        }
    }

    /// Counts that a tag is invalidated.
    pub(super) fn announce_tag(&self, tag: &Tag) {
        count(&self.prefix_counters(tag.family()).invalidations);
        tracing::debug!(target: "cache", tag = %tag, "invalidate");
    }

    pub(super) fn remove_tag_here(&self, tag: &Tag) {
        // The family first: a load that read its tags' generations after that of the tag was
        // renewed then finds the family changed.
        let namespace = &self.namespace;
        self.invalidate_name(&format!("{}{namespace}{}", kind::FAMILY, tag.family()));
        self.invalidate_name(&format!("{}{namespace}{tag}", kind::TAG));
    }
}

fn report_read(text: &str, counters: &Counters, missed: Option<MissReason>) {
    match missed {
        None => {
            counters.hit(false);
            tracing::debug!(target: "cache", key = %text, "hit");
        }
        Some(reason) => {
            counters.miss(reason);
            tracing::debug!(target: "cache", key = %text, reason = reason.as_str(), "miss");
        }
    }
}
