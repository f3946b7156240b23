use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("ratelimit:<path>", tags = ["ip:<ip>"])]
    fn rate_limit(ip: std::net::IpAddr, path: &str) -> u64;
}

fn main() {}
