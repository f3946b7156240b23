use cache_runtime::KeyPart;

#[derive(KeyPart)]
#[key_part(crat = cache_runtime)]
struct Id(u64);

#[derive(KeyPart)]
#[key_part(rename = "id")]
struct Other(u64);

fn main() {}
