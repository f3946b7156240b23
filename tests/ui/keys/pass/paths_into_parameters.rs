use cache_runtime::cache_keys;

pub struct User {
    pub id: u64,
    pub r#type: String,
}

#[cache_keys]
pub(crate) trait Keys {
    #[key("user:<user.id>:<user.type>", tags = ["type:{user.r#type}", "users"])]
    fn user(user: &User) -> String;
    #[key("pair:<pair.0>:<pair.1.name>")]
    fn pair(pair: (u64, Named)) -> String;
    #[key("twice:<id>:<id>")]
    fn twice(id: i32) -> String;
}

pub struct Named {
    pub name: &'static str,
}

#[test]
fn runs() {
    let user = User { id: 7, r#type: "admin".to_owned() };
    assert_eq!(Keys::user(&user).as_str(), "user:7:admin");
    assert_eq!(Keys::user(&user).tags()[0].as_str(), "type:admin");
    assert_eq!(Keys::pair((1, Named { name: "x" })).as_str(), "pair:1:x");
    assert_eq!(Keys::twice(-3).as_str(), "twice:-3:-3");
}
