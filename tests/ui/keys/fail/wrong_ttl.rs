use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("a:<id>", ttl = 0)]
    fn zero(id: u64) -> String;
    #[key("b:<id>", ttl = -5)]
    fn negative(id: u64) -> String;
    #[key("c:<id>", ttl = "5 minutes")]
    fn unit(id: u64) -> String;
    #[key("d:<id>", ttl = "0s")]
    fn zero_text(id: u64) -> String;
    #[key("e:<id>", ttl = 1.5)]
    fn float(id: u64) -> String;
    #[key("f:<id>", ttl = |value: &String| value.len())]
    fn closure(id: u64) -> String;
    #[key("g:<id>", ttl = "soon")]
    fn word(id: u64) -> String;
    #[key("h:<id>", ttl = 30)]
    fn fine(id: u64) -> String;
}

fn main() {}
