//! Reads and checks one variable after the other, and goes on after a wrong one.

use std::ffi::OsString;
use std::time::Duration;

use super::{Config, Near, ProviderChoice, Secret};

/// Longer times than this would overflow clocks: a hundred years.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

/// Every scheme is one of these servers and one of these topologies; of the names, only the usual
/// ones are told.
const REDIS_SERVERS: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];
const REDIS_TOPOLOGIES: [&str; 3] = ["", "+sentinel", "+cluster"];
const REDIS_URL: &str = "a URL that begins with `redis://`, `rediss://` (TLS), `redis+sentinel://` or \
     `redis+cluster://`, such as `redis://:<password>@<host>:<port>/<database>`";
const REST_URL: &str = "the URL of the database's REST interface, which begins with `https://`, or \
     on this machine with `http://`";

/// The names under which Upstash's URL and token are looked for, in this order.
const REST_NAMES: [(&str, &str); 3] = [
    super::REST_NAMES,
    ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
];

pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    problems: &'a mut Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        lookup: &'a dyn Fn(&str) -> Option<OsString>,
        problems: &'a mut Vec<String>,
    ) -> Self {
        Self { lookup, problems }
    }

    pub(super) fn config(mut self) -> Config {
        let mut config = Config::default();
        let provider = self.provider();
        config.provider = provider.unwrap_or_default();
        if let Some(seconds) =
            self.number("CACHE_DEFAULT_TTL", "a whole number of seconds", MAX_SECONDS)
        {
            config.default_ttl = Duration::from_secs(seconds);
        }
        config.namespace = self.namespace();
        config.max_bytes = self.number("CACHE_MAX_BYTES", "a whole number of bytes", u64::MAX);
        let entries = self.number("CACHE_MAX_ENTRIES", "a whole number", u64::MAX);
        if entries.is_some() || config.max_bytes.is_some() {
            config.max_entries = entries;
        }
        config.near = self.near();
        config.timeout = self.time("CACHE_TIMEOUT", "a time such as `50ms`, more than zero");
        config.redis_url = self.secret("REDIS_URL");
        self.check_redis(provider, config.redis_url.as_ref());
        self.rest(provider, &mut config);
        config
    }

    fn provider(&mut self) -> Option<ProviderChoice> {
        let Some(value) = self.text("CACHE_PROVIDER") else {
            return Some(ProviderChoice::default());
        };
        let found = ProviderChoice::ALL.into_iter().find(|choice| choice.as_str() == value);
        if found.is_none() {
            let near_miss =
                ProviderChoice::ALL.into_iter().find(|choice| is_near(&value, choice.as_str()));
            let hint =
                near_miss.map_or_else(String::new, |choice| format!(" (did you mean `{choice}`?)"));
            let allowed = format!("`in-memory`, `redis`, `upstash` or `none`{hint}");
            self.wrong("CACHE_PROVIDER", &value, &allowed);
        }
        found
    }

    fn namespace(&mut self) -> String {
        let namespace = self.text("CACHE_NAMESPACE").unwrap_or_default();
        if namespace.chars().any(|c| c.is_control() || matches!(c, '*' | '?' | '[' | ']' | '\\')) {
            // A pattern below the namespace would reach other keys.
            self.wrong(
                "CACHE_NAMESPACE",
                &namespace,
                "text without `*`, `?`, `[`, `]`, `\\` and control characters",
            );
        }
        namespace
    }

    fn near(&mut self) -> Near {
        const ALLOWED: &str = "`off`, `validated`, or a time such as `500ms`, more than zero";
        match self.text("CACHE_NEAR").as_deref() {
            None | Some("off") => Near::Off,
            Some("validated") => Near::Validated,
            Some(_) => self.time("CACHE_NEAR", ALLOWED).map_or(Near::Off, Near::Bound),
        }
    }

    fn check_redis(&mut self, provider: Option<ProviderChoice>, url: Option<&Secret>) {
        if provider == Some(ProviderChoice::Redis) {
            self.check_url("REDIS_URL", url, provider_url(ProviderChoice::Redis));
        }
    }

    fn rest(&mut self, provider: Option<ProviderChoice>, config: &mut Config) {
        let [usual, ..] = REST_NAMES;
        let names = REST_NAMES.into_iter().find(|(url, _)| self.text(url).is_some());
        let (url, token) = names.unwrap_or(usual);
        config.rest_url = self.secret(url);
        config.rest_token = self.secret(token);
        config.rest_names = (url, token);
        if provider == Some(ProviderChoice::Upstash) {
            self.check_url(url, config.rest_url.as_ref(), provider_url(ProviderChoice::Upstash));
            if config.rest_token.is_none() {
                self.missing(token, "upstash", "the token of the database's REST interface");
            }
        }
    }

    fn check_url(&mut self, name: &str, url: Option<&Secret>, (provider, allowed): Expected) {
        let Some(url) = url else { return self.missing(name, provider.as_str(), allowed) };
        let (scheme, rest) = url.expose().split_once("://").unwrap_or_default();
        let meant = of_scheme(scheme);
        if meant == Some(provider) && !rest.is_empty() {
            return;
        }
        // Of a URL that may hold a password nothing is shown, but that it is another store's may be.
        let hint = match meant.filter(|meant| *meant != provider) {
            Some(ProviderChoice::Redis) => {
                "; for this one, set `CACHE_PROVIDER=redis` and move it to `REDIS_URL`"
            }
            Some(_) => {
                "; for this one, set `CACHE_PROVIDER=upstash` and move it to `REDIS_REST_URL`"
            }
            None => "",
        };
        self.problems
            .push(format!("`{name}` is wrong (its value is not shown): set it to {allowed}{hint}"));
    }

    fn number(&mut self, name: &str, what: &str, max: u64) -> Option<u64> {
        let value = self.text(name)?;
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number =
            value.parse::<u64>().ok().filter(|number| digits && (1..=max).contains(number));
        if number.is_none() {
            self.wrong(name, &value, &format!("{what}, from 1 to {max}"));
        }
        number
    }

    fn time(&mut self, name: &str, allowed: &str) -> Option<Duration> {
        let value = self.text(name)?;
        let time = parse_time(&value);
        if time.is_none() {
            // Only what would be accepted is proposed.
            let number = value.parse::<u64>().ok();
            let meant: Vec<String> = number
                .into_iter()
                .flat_map(|number| ["ms", "s"].map(|unit| format!("{number}{unit}")))
                .filter(|meant| parse_time(meant).is_some())
                .map(|meant| format!("`{meant}`"))
                .collect();
            let hint = match meant.is_empty() {
                false => format!("did you mean {}?", meant.join(" or ")),
                true => "the units are `ms`, `s`, `m`, `h` and `d`".to_owned(),
            };
            self.wrong(name, &value, &format!("{allowed} ({hint})"));
        }
        time
    }

    fn secret(&mut self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// The variable's text without blanks around it; nothing where it is unset or empty.
    fn text(&mut self, name: &str) -> Option<String> {
        match (self.lookup)(name)?.into_string() {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => {
                let problem = format!("`{name}` is not valid UTF-8");
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    fn wrong(&mut self, name: &str, value: &str, allowed: &str) {
        self.problems.push(format!("`{name}` is `{}`, but may be {allowed}", shown(value)));
    }

    fn missing(&mut self, name: &str, provider: &str, allowed: &str) {
        self.problems.push(format!(
            "`{name}` is not set or empty, but `CACHE_PROVIDER` is `{provider}`: set it to {allowed}"
        ));
    }
}

/// A whole number and a unit, more than zero.
fn parse_time(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().ok()?;
    let milliseconds_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let milliseconds = number.checked_mul(milliseconds_per_unit)?;
    (1..=MAX_SECONDS * 1_000).contains(&milliseconds).then(|| Duration::from_millis(milliseconds))
}

/// A store, and what its URL may be.
type Expected = (ProviderChoice, &'static str);

const fn provider_url(provider: ProviderChoice) -> Expected {
    match provider {
        ProviderChoice::Upstash => (provider, REST_URL),
        _ => (provider, REDIS_URL),
    }
}

/// The store that a URL with this scheme leads to.
fn of_scheme(scheme: &str) -> Option<ProviderChoice> {
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "https" || scheme == "http" {
        return Some(ProviderChoice::Upstash);
    }
    let is_redis = REDIS_SERVERS
        .iter()
        .filter_map(|server| scheme.strip_prefix(server))
        .any(|topology| REDIS_TOPOLOGIES.contains(&topology));
    is_redis.then_some(ProviderChoice::Redis)
}

/// A value as an error may show it: on one line, not too long, and nothing that looks like a login.
fn shown(value: &str) -> String {
    const LONGEST: usize = 40;
    if let Some((scheme, _)) = value.split_once("://") {
        return format!("{}://..", scheme.escape_debug());
    }
    if value.contains('@') {
        return "***".to_owned();
    }
    let mut short: String = value.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if value.chars().nth(LONGEST).is_some() {
        short.push_str("..");
    }
    short
}

/// Whether `value` is `name` but for case, `_`, a part left out, or two wrong letters.
fn is_near(value: &str, name: &str) -> bool {
    let value = value.to_lowercase().replace(['_', ' '], "-");
    (value.len() > 2 && name.contains(&value)) || distance(&value, name) <= 2
}

/// The number of letters to insert, remove or replace.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
