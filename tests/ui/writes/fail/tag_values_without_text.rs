use cache_runtime::invalidates;

pub struct Patch {
    price: f64,
}

#[invalidates(tags = ["price:<patch.price>", "patch:<patch>", "rate:<rate>", "is:<result>", "no:<patch.name>"])]
async fn update(patch: Patch, rate: f32) -> Result<f64, ()> {
    Ok(patch.price * f64::from(rate))
}

fn main() {}
