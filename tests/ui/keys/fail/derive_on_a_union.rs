use cache_runtime::KeyPart;

#[derive(KeyPart)]
union Number {
    signed: i64,
    unsigned: u64,
}

fn main() {}
