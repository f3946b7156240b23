use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<user_idd>", tags = ["org:<orgg>", "team:<result.team>"])]
    fn user(user_id: u64) -> String;
    #[key("settings:<name>")]
    fn settings() -> String;
}

fn main() {}
