//! From a configuration to a store outside the process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::remote::{LEASE, LEAST_BOUND, LONGEST_BOUND, NearCache, Remote};
use super::rules::Rules;
use crate::clock::Clock;
use crate::config::{Config, Near, ProviderChoice};
use crate::entry::Format;
use crate::error::{Error, ErrorKind, Result};
use crate::near::sites::Sites;
use crate::provider::Provider;
use crate::resilience::{ResilienceOptions, Resilient};

/// What the builder was told of a store outside the process, beside the configuration.
#[derive(Clone, Default)]
pub(super) struct RemoteParts {
    pub(super) provider: Option<Arc<dyn Provider>>,
    pub(super) format: Format,
    pub(super) resilience: Option<ResilienceOptions>,
    pub(super) lease: Option<Duration>,
    pub(super) rules: Rules,
    #[cfg(feature = "redis")]
    pub(super) redis_roots: Option<Vec<u8>>,
}

impl fmt::Debug for RemoteParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("RemoteParts");
        debug.field("provider", &self.provider).field("format", &self.format);
        debug.finish_non_exhaustive()
    }
}

impl RemoteParts {
    /// Makes the tier. Nothing is connected yet.
    pub(super) fn connect(
        self,
        config: &Config,
        clock: &Clock,
        sites: &Arc<Sites>,
    ) -> Result<Remote> {
        self.format.check()?;
        if let Near::Bound(bound) = config.near
            && bound > LONGEST_BOUND
        {
            let message = format!(
                "`CACHE_NEAR` is {bound:?}, and no near cache may be stale for longer than {LONGEST_BOUND:?}: use that, or less"
            );
            return Err(Error::new(ErrorKind::Config, "build", message));
        }
        if let Near::Bound(bound) = config.near
            && bound < LEAST_BOUND
        {
            let message = format!(
                "`CACHE_NEAR` is {bound:?}, and the clocks are too coarse for less than {LEAST_BOUND:?}: use that, or `validated`, which is exact"
            );
            return Err(Error::new(ErrorKind::Config, "build", message));
        }
        let is_rest = config.provider == ProviderChoice::Upstash && self.provider.is_none();
        let defaults = match is_rest {
            true => ResilienceOptions::upstash(),
            false => ResilienceOptions::redis(),
        };
        let mut options = self.resilience.clone().unwrap_or(defaults);
        if let Some(timeout) = config.timeout {
            options = options.budget(timeout);
        }
        let (lease, rules) = (self.lease.unwrap_or(LEASE), self.rules);
        let (format, provider) = (self.format, self.provider(config)?);
        if lease.is_zero() {
            let message = "`lease` is zero: nobody could ever hold a key while it loads";
            return Err(Error::new(ErrorKind::Config, "build", message));
        }
        let budget = options.budget;
        let provider = Resilient::new(provider, options, clock.clone());
        let near = NearCache::new(config, clock, sites, &*provider, rules);
        let mut remote = Remote::new(provider, format, lease, budget, near, clock);
        remote.rules = rules;
        Ok(remote)
    }

    fn provider(self, config: &Config) -> Result<Arc<dyn Provider>> {
        if let Some(provider) = self.provider {
            return Ok(provider);
        }
        match config.provider {
            #[cfg(feature = "redis")]
            ProviderChoice::Redis => {
                let url = exposed(config.redis_url.as_ref(), "REDIS_URL", "the server's URL")?;
                let mut builder = crate::provider::RedisProvider::builder(url);
                if let Some(roots) = self.redis_roots {
                    builder = builder.roots_pem(roots);
                }
                Ok(Arc::new(builder.namespace(&config.namespace).build()?))
            }
            #[cfg(feature = "upstash")]
            ProviderChoice::Upstash => {
                let url =
                    exposed(config.rest_url.as_ref(), "REDIS_REST_URL", "the database's URL")?;
                let token = exposed(
                    config.rest_token.as_ref(),
                    "REDIS_REST_TOKEN",
                    "the database's token",
                )?;
                let builder = crate::provider::UpstashProvider::builder(url, token);
                let builder = builder.named(config.rest_names);
                Ok(Arc::new(builder.namespace(&config.namespace).build()?))
            }
            other => Err(Error::new(
                ErrorKind::Config,
                "build",
                format!(
                    "`CACHE_PROVIDER={other}` needs the cargo feature `{other}` of `cache-runtime`"
                ),
            )),
        }
    }
}

#[cfg(any(feature = "redis", feature = "upstash"))]
fn exposed<'a>(
    secret: Option<&'a crate::config::Secret>,
    name: &str,
    what: &str,
) -> Result<&'a str> {
    secret.map(crate::config::Secret::expose).ok_or_else(|| {
        Error::new(ErrorKind::Config, "build", format!("`{name}` is not set: set it to {what}"))
    })
}
