use cache_runtime::KeyPart;

#[derive(KeyPart)]
enum Owner {
    Nobody,
    User(u64),
    Team { id: u64 },
}

#[derive(KeyPart)]
enum Never {}

fn needs(_: &impl KeyPart) {}

fn main() {
    needs(&Owner::User(1));
    needs(&Owner::Team { id: 1 });
    needs(&Owner::Nobody);
}
