//! What a call that missed is going to do, put together by generated code.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::core::{Request, kind, prefix_of};
use crate::cache::run::Hooks;
use crate::cache::value::{Cacheable, ops};
use crate::cache::{Cache, cache};
use crate::cache::{begun_name, full_name, full_text};
use crate::key::{Args, Key, Piece, render, usual_len};
use crate::policy::Policy;
use crate::site::Site;
use crate::stats::Counters;
use crate::tag::Tag;

/// So many tags have room without moving, the function's own among them.
const USUAL_TAGS: usize = 4;

/// A call's key, tags and policy, owned.
pub struct Plan<V> {
    pub(crate) cache: Cache,
    pub(crate) request: Request,
    pub(crate) hooks: Hooks<V>,
}

impl<V: Cacheable> Plan<V> {
    /// The plan of a call with these arguments.
    pub fn new<A: Args>(site: &'static Site, args: &A) -> Self {
        let mut text = String::new();
        render(site.spec.pieces, args, &mut text);
        let number = site.numbered();
        let mut plan = Self::of(site, number, text);
        plan.request.site =
            plan.admits::<A>(number).then(|| (number, args.with_bytes(|bytes| bytes.into())));
        plan
    }

    /// The plan of a call whose key is an expression.
    #[must_use]
    pub fn from_key(site: &'static Site, key: Key<V>) -> Self {
        let number = site.numbered();
        let mut plan = Self::of(site, number, key.as_str().to_owned());
        if let Some(state) = plan.cache.0.sites.get(number) {
            state.prefix.get_or_init(|| prefix_of(key.as_str()).into());
        }
        plan.request.policy.ttl = site.spec.policy.ttl.or(key.ttl());
        plan.tags(key.tags().iter().cloned())
    }

    /// Whether the arguments may stand in the function's index, which a store in this process has.
    fn admits<A: Args>(&self, number: u32) -> bool {
        let core = &*self.cache.0;
        core.has_indexes()
            && core.sites.get(number).is_some_and(|state| state.index.admits(A::SHAPE))
    }

    fn of(site: &'static Site, number: u32, text: String) -> Self {
        let cache = cache();
        let core = &*cache.0;
        let (counters, function) = match core.sites.get_or_make(number) {
            Some(state) => {
                let function = state.function.get_or_init(|| core.function_name(site).into());
                (Arc::clone(&state.counters), String::from(&**function))
            }
            None => (Arc::<Counters>::default(), core.function_name(site)),
        };
        let text = match core.namespace.is_empty() {
            true => text,
            false => full_text(core, None, &text),
        };
        let mut tags = Vec::with_capacity(USUAL_TAGS);
        tags.push(function);
        let request = Request {
            text,
            site: None,
            tags,
            families: Vec::new(),
            policy: site.spec.policy,
            ops: ops::<V>(),
            counters,
        };
        Self { cache, request, hooks: Hooks::default() }
    }

    /// Adds a tag made from a template.
    #[must_use]
    pub fn tag<A: Args>(mut self, pieces: &'static [Piece], args: &A) -> Self {
        let mut name = begun_name(&self.cache.0, kind::TAG, usual_len(pieces));
        render(pieces, args, &mut name);
        self.request.tags.push(name);
        self
    }

    /// Adds tags.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item: Into<Tag>>) -> Self {
        let core = &self.cache.0;
        let name = |tag: Tag| full_name(core, kind::TAG, tag.as_str());
        self.request.tags.extend(tags.into_iter().map(|tag| name(tag.into())));
        self
    }

    /// Adds tags that only the result tells, and the families that they are of.
    #[must_use]
    pub fn result_tags(
        mut self,
        families: &'static [&'static str],
        tags: impl Fn(&V, &mut ResultTags) + Send + Sync + 'static,
    ) -> Self {
        let core = &self.cache.0;
        self.request.families =
            families.iter().map(|family| full_name(core, kind::FAMILY, family)).collect();
        self.hooks.tags = Some(Box::new(move |value| {
            let mut result = ResultTags(Vec::new());
            tags(value, &mut result);
            result.0
        }));
        self
    }

    /// The TTL, where it is an expression.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.request.policy.ttl = Some(ttl);
        self
    }

    /// The TTL, where it depends on the value.
    #[must_use]
    pub fn ttl_with(mut self, ttl: impl Fn(&V) -> Duration + Send + Sync + 'static) -> Self {
        self.hooks.ttl = Some(Box::new(ttl));
        self
    }

    /// Whether to store the value.
    #[must_use]
    pub fn cache_if(mut self, condition: impl Fn(&V) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.cache_if = Some(Box::new(condition));
        self
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn stale(self, stale: Duration) -> Self {
        self.policy(|policy| policy.stale(stale))
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn stale_if_error(self, stale_if_error: Duration) -> Self {
        self.policy(|policy| policy.stale_if_error(stale_if_error))
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn none_ttl(self, none_ttl: Duration) -> Self {
        self.policy(|policy| policy.none_ttl(none_ttl))
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.policy(|policy| policy.timeout(timeout))
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn early(self, beta: f64) -> Self {
        self.policy(|policy| policy.early(beta))
    }

    /// As in [`Policy`].
    #[must_use]
    pub fn jitter(self, share: f64) -> Self {
        self.policy(|policy| policy.jitter(share))
    }

    fn policy(mut self, change: impl FnOnce(Policy) -> Policy) -> Self {
        self.request.policy = change(self.request.policy);
        self
    }
}

/// Collects the tags of a result.
pub struct ResultTags(Vec<Tag>);

impl ResultTags {
    /// Adds a tag made from a template.
    pub fn tag<A: Args>(&mut self, pieces: &'static [Piece], args: &A) {
        let mut text = String::new();
        render(pieces, args, &mut text);
        self.0.push(Tag::new(text));
    }
}
