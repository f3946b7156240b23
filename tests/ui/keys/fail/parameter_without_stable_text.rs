use cache_runtime::cache_keys;

pub struct Point {
    pub x: u64,
}

#[cache_keys]
trait Keys {
    #[key("price:<price>")]
    fn price(price: f64) -> String;
    #[key("point:<point>")]
    fn point(point: &Point) -> String;
    #[key("x:<point.y>")]
    fn x(point: &Point) -> String;
}

fn main() {}
