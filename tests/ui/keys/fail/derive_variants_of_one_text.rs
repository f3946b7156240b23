use cache_runtime::KeyPart;

#[allow(non_camel_case_types)]
#[derive(KeyPart)]
enum Status {
    InTransit,
    In_Transit,
}

fn main() {}
