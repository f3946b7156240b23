//! What one direct call asks for, until it is awaited.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Request, kind};
use super::handle::Cache;
use super::run::{Hooks, Miss, Shape, run_lent};
use super::shapes::Fallible;
use super::value::{Cacheable, Cached, ops};
use crate::error::Result;
use crate::key::Key;
use crate::policy::Policy;
use crate::tag::Tag;

pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What names a key where the type of its value does not matter: text, or a [`Key`].
pub trait IntoKeyText {
    /// The key's text, without the namespace.
    fn into_key_text(self) -> String;
}

impl IntoKeyText for &str {
    fn into_key_text(self) -> String {
        self.to_owned()
    }
}

impl IntoKeyText for String {
    fn into_key_text(self) -> String {
        self
    }
}

impl IntoKeyText for &String {
    fn into_key_text(self) -> String {
        self.clone()
    }
}

impl<T> IntoKeyText for Key<T> {
    fn into_key_text(self) -> String {
        self.into_string()
    }
}

impl<T> IntoKeyText for &Key<T> {
    fn into_key_text(self) -> String {
        self.as_str().to_owned()
    }
}

/// The whole key: the cache's namespace, the call's, the text.
pub(crate) fn full_text(core: &Core, namespace: Option<&str>, text: &str) -> String {
    match namespace {
        Some(namespace) => format!("{}{namespace}:{text}", core.namespace),
        None => joined(&core.namespace, text),
    }
}

/// The whole name of a tag, a family or a function.
pub(crate) fn full_name(core: &Core, kind: &str, name: &str) -> String {
    let mut whole = begun_name(core, kind, name.len());
    whole.push_str(name);
    whole
}

/// What a whole name begins with, with room for so many bytes more. It is made for each tag of each
/// call, and formatting costs several times what copying does.
pub(crate) fn begun_name(core: &Core, kind: &str, room: usize) -> String {
    let mut name = String::with_capacity(kind.len() + core.namespace.len() + room);
    name.push_str(kind);
    name.push_str(&core.namespace);
    name
}

fn joined(one: &str, other: &str) -> String {
    let mut text = String::with_capacity(one.len() + other.len());
    text.push_str(one);
    text.push_str(other);
    text
}

/// What may be said of one call.
#[derive(Clone, Debug, Default)]
struct Options {
    ttl: Option<Duration>,
    namespace: Option<String>,
    tags: Vec<Tag>,
    skip_cache: bool,
}

impl Options {
    fn of<T>(key: &Key<T>) -> Self {
        Self { ttl: key.ttl(), tags: key.tags().to_vec(), ..Self::default() }
    }

    fn request<T: Cacheable>(&self, core: &Core, key: &str) -> Request {
        let namespace = self.namespace.as_deref();
        let tag = |tag: &Tag| match namespace {
            Some(namespace) => format!("{}{}{namespace}:{tag}", kind::TAG, core.namespace),
            None => full_name(core, kind::TAG, tag.as_str()),
        };
        let text = full_text(core, namespace, key);
        Request {
            site: None,
            tags: core
                .function_names::<T>(&text)
                .into_iter()
                .chain(self.tags.iter().map(tag))
                .collect(),
            text,
            families: Vec::new(),
            policy: Policy { ttl: self.ttl, ..Policy::new() },
            ops: ops::<T>(),
            counters: core.prefix_counters(key),
        }
    }
}

macro_rules! option {
    (ttl) => {
        /// Keeps the value this long, in place of the key's TTL or the default.
        pub fn ttl(mut self, ttl: Duration) -> Self {
            self.options.ttl = Some(ttl);
            self
        }
    };
    (tags) => {
        /// Adds tags, by which the value can be invalidated.
        pub fn tags(mut self, tags: impl IntoIterator<Item: Into<Tag>>) -> Self {
            self.options.tags.extend(tags.into_iter().map(Into::into));
            self
        }
    };
    (namespace) => {
        /// Puts the key, and the tags, below this namespace within the cache's own.
        pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
            self.options.namespace = Some(namespace.into());
            self
        }
    };
    (skip_cache) => {
        /// Goes past the cache if true: nothing is read from it and nothing stored.
        pub fn skip_cache(mut self, skip: bool) -> Self {
            self.options.skip_cache = skip;
            self
        }
    };
}

/// A read, made by [`Cache::get`].
#[must_use = "a request does nothing until it is awaited"]
pub struct Get<T> {
    cache: Cache,
    key: Key<T>,
    options: Options,
}

impl<T: Cacheable> Get<T> {
    pub(crate) fn new(cache: Cache, key: Key<T>) -> Self {
        Self { cache, key, options: Options::default() }
    }

    option!(namespace);
    option!(skip_cache);
}

impl<T: Cacheable> IntoFuture for Get<T> {
    type Output = Result<Option<T>>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { cache, key, options } = self;
        let all = GetMany { cache, keys: vec![key], options };
        Box::pin(async move { Ok(all.read().await?.pop().flatten()) })
    }
}

/// A write, made by [`Cache::set`].
#[must_use = "a request does nothing until it is awaited"]
pub struct Set<T> {
    cache: Cache,
    key: Key<T>,
    value: T,
    options: Options,
}

impl<T: Cacheable> Set<T> {
    pub(crate) fn new(cache: Cache, key: Key<T>, value: T) -> Self {
        let options = Options::of(&key);
        Self { cache, key, value, options }
    }

    option!(ttl);
    option!(tags);
    option!(namespace);
    option!(skip_cache);

    async fn store(self) -> Result<()> {
        if self.options.skip_cache {
            return Ok(());
        }
        let core = &self.cache.0;
        let request = self.options.request::<T>(core, self.key.as_str());
        let ttl = self.options.ttl.unwrap_or(core.default_ttl);
        core.put(&request, Cached::Value(Arc::new(self.value)), ttl).await
    }
}

impl<T: Cacheable> IntoFuture for Set<T> {
    type Output = Result<()>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.store())
    }
}

/// Several reads, made by [`Cache::get_many`].
#[must_use = "a request does nothing until it is awaited"]
pub struct GetMany<T> {
    cache: Cache,
    keys: Vec<Key<T>>,
    options: Options,
}

impl<T: Cacheable> GetMany<T> {
    pub(crate) fn new(cache: Cache, keys: Vec<Key<T>>) -> Self {
        Self { cache, keys, options: Options::default() }
    }

    option!(namespace);
    option!(skip_cache);

    async fn read(self) -> Result<Vec<Option<T>>> {
        let Self { cache, keys, options } = self;
        if options.skip_cache {
            return Ok(keys.iter().map(|_| None).collect());
        }
        let (core, namespace) = (&cache.0, options.namespace.as_deref());
        let texts: Vec<String> =
            keys.iter().map(|key| full_text(core, namespace, key.as_str())).collect();
        let counters: Vec<_> = keys.iter().map(|key| core.prefix_counters(key.as_str())).collect();
        core.get_many(&texts, &counters).await
    }
}

impl<T: Cacheable> IntoFuture for GetMany<T> {
    type Output = Result<Vec<Option<T>>>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.read())
    }
}

/// Several writes, made by [`Cache::set_many`].
#[must_use = "a request does nothing until it is awaited"]
pub struct SetMany<T> {
    cache: Cache,
    entries: Vec<(Key<T>, T)>,
    options: Options,
}

impl<T: Cacheable> SetMany<T> {
    pub(crate) fn new(cache: Cache, entries: Vec<(Key<T>, T)>) -> Self {
        Self { cache, entries, options: Options::default() }
    }

    option!(ttl);
    option!(tags);
    option!(namespace);
    option!(skip_cache);
}

impl<T: Cacheable> IntoFuture for SetMany<T> {
    type Output = Result<()>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            for (key, value) in self.entries {
                let mut options = self.options.clone();
                options.ttl = options.ttl.or(key.ttl());
                options.tags.extend(key.tags().iter().cloned());
                Set { cache: self.cache.clone(), key, value, options }.store().await?;
            }
            Ok(())
        })
    }
}

/// A read that loads what is missing, made by [`Cache::get_or_set`].
#[must_use = "a request does nothing until it is awaited"]
pub struct GetOrSet<'a, T, E> {
    cache: Cache,
    key: Key<T>,
    load: Boxed<'a, std::result::Result<T, E>>,
    options: Options,
}

impl<'a, T: Cacheable, E: Send + 'a> GetOrSet<'a, T, E> {
    pub(crate) fn new<F, L>(cache: Cache, key: Key<T>, load: L) -> Self
    where
        F: Future<Output = std::result::Result<T, E>> + Send + 'a,
        L: FnOnce() -> F + Send + 'a,
    {
        let options = Options::of(&key);
        // The loader is called when the load begins, not before.
        Self { cache, key, load: Box::pin(async move { load().await }), options }
    }

    option!(ttl);
    option!(tags);
    option!(namespace);
    option!(skip_cache);
}

impl<'a, T: Cacheable, E: Send + 'a> IntoFuture for GetOrSet<'a, T, E> {
    type Output = <Fallible<T, E> as Shape>::Return;
    type IntoFuture = Boxed<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.options.skip_cache {
                return self.load.await;
            }
            let request = self.options.request::<T>(&self.cache.0, self.key.as_str());
            let hooks = Hooks::default();
            let miss = Miss { cache: self.cache, request: Arc::new(request), hooks };
            run_lent::<Fallible<T, E>>(miss, self.load).await
        })
    }
}
