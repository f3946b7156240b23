use cache_runtime::KeyPart;

#[derive(KeyPart)]
struct Id<T>(T);

fn needs(_: &impl KeyPart) {}

fn main() {
    needs(&Id(1_u64));
    needs(&Id(1.5_f64));
}
