use std::marker::PhantomData;

use cache_runtime::KeyPart;

#[derive(KeyPart)]
struct Unit;

#[derive(KeyPart)]
struct Marker<T>(PhantomData<T>);

fn main() {}
