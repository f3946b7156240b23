#[test]
fn runs() {
    use cache_runtime::{KeyPart, cache_keys};

    struct Local;

    #[derive(KeyPart)]
    enum Color {
        DarkRed,
    }

    #[cache_keys]
    trait Keys {
        #[key("local:<color>")]
        fn local(color: Color) -> Local;
    }

    assert_eq!(Keys::local(Color::DarkRed).as_str(), "local:dark_red");
}
