use cache_runtime::KeyPart;

#[derive(KeyPart)]
struct Price(f64);

#[derive(KeyPart)]
struct Position {
    name: String,
    height: f32,
}

fn main() {}
