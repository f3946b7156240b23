use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::cached;
use crate::parse::Surroundings;

const ARGUMENTS: [&str; 12] = [
    r#"key = "user:<org>:<id>", ttl = 1800, tags = ["users", "org:<org>"]"#,
    r#"key = "a:{id}:<org>", ttl = "30m", stale = "1h", stale_if_error = 7200, jitter = "10%", early = 1.5"#,
    r#"ttl = |user: &User| user.ttl, cache_if = |user| user.active, skip(org)"#,
    r#"key = CacheKeys::user(id), skip = (org), none_ttl = 5, timeout = Duration::from_secs(1)"#,
    r#"key = "a:<user.id>:<pair.0>:<self.tenant>", tags = ["t:<result.team>:<org>", region(id)]"#,
    r#"policy = policy::APPLICATION, crate = my::cache, key = "x""#,
    r#"key = "<id", ttl = 0, ttl = -1, unknown = 5, tags = "x""#,
    r#""user:<id>", key: 5, skip(1)"#,
    "",
    r#"key = "a:<a>:<b>:<id>", skip(org, _x, user)"#,
    r#"key = "<r#type>:<a.b.c.0.1>:<<>>:{{}}", tags = ["", "<result>"]"#,
    r#"ttl = ttl_of(org, &id), tags = [Tag::new(format!("x:{id}"))], skip(pair)"#,
];

const ITEMS: [&str; 12] = [
    "pub async fn get_user(org: u64, id: UserId) -> Result<User, DbError> { load(org, id).await }",
    "async fn f<'a, T: KeyPart + 'static, const N: usize>(id: &'a T, org: [u8; N]) -> Option<Vec<T>> where T: Clone { x }",
    "pub(crate) async fn get(&self, mut id: u64, (a, b): (u64, u64), _: Db) -> io::Result<Option<User>> { self.get(id).await }",
    "async fn find(self: Arc<Self>, id: impl Into<String>, org: &str) -> Self { Self { id } }",
    "#[doc = \"x\"] #[expect(dead_code)] async fn r#type(User { id, ref name, .. }: User, &(x, y @ 1): &(u8, u8)) -> u64 { 1 }",
    "fn not_async(id: u64) -> impl Future<Output = u64> { async { 1 } }",
    "async fn nothing() {}",
    "async unsafe extern \"C\" fn odd(id: *const u8, ...) -> &'static str { loop {} }",
    "struct User { id: u64 }",
    "async fn id(id: &mut [u8], org: Box<dyn Fn(&str) -> u8 + Send>, pair: (u8, (u8, u8))) -> ! { id(id) }",
    "async fn all(result: u64, key: u64, ttl: &str, cache: Cow<'_, str>, self_: u8) -> std::result::Result<(), E> { }",
    "async fn m(self, id: <T as Tr>::Id, org: m!(x), user: fn(&str) -> &str) -> m!() { macro_call!() }",
];

const SURROUNDINGS: [Surroundings; 3] =
    [Surroundings::Unknown, Surroundings::Free, Surroundings::Impl];

fn expand(arguments: &str, item: &str) -> String {
    let arguments = arguments.parse().expect("arguments");
    cached(arguments, item.parse().expect("an item"), || Surroundings::Free).to_string()
}

#[test]
fn every_mistake_is_told_and_the_function_stays() {
    let tokens = expand(
        r#"key = "a:<idd>", ttl = 0, unknown = 1, tags = ["<nope>"]"#,
        "async fn get_user(id: u64) -> u64 { id }",
    );
    assert_eq!(tokens.matches("compile_error").count(), 4, "{tokens}");
    assert!(tokens.ends_with("async fn get_user (id : u64) -> u64 { id }"), "{tokens}");
}

#[test]
fn the_runtime_is_named_by_its_given_path_only() {
    for arguments in [
        r#"key = "a:<id>", ttl = 60, stale = 60, tags = ["t:<result>", "u:<id>"], none_ttl = 5, crate = my::cache"#,
        r#"key = typed(id), cache_if = |value| *value > 1, crate = my::cache"#,
        "crate = my::cache",
    ] {
        let tokens = expand(arguments, "async fn get_user(id: &str) -> Option<u64> { None }");
        assert!(!tokens.contains("compile_error"), "{tokens}");
        assert!(!tokens.contains("cache_runtime"), "{tokens}");
    }
}

#[test]
fn the_body_stands_there_once_and_as_it_was() {
    let tokens =
        expand(r#"key = "a:<id>""#, "async fn get_user(id: u64) -> u64 { unique_marker ( id ) }");
    assert_eq!(tokens.matches("{ unique_marker (id) }").count(), 1, "{tokens}");
}

#[test]
fn the_literal_times_go_to_the_constant_policy() {
    let tokens = expand(
        r#"key = "a:<id>", ttl = "1h30m", stale = 60, timeout = "250ms", jitter = "10%", policy = BASE"#,
        "async fn get_user(id: u64) -> u64 { id }",
    );
    assert!(tokens.contains("policy : BASE . ttl"), "{tokens}");
    for duration in ["from_secs (5400)", "from_secs (60)", "from_millis (250)", "jitter (0.1"] {
        assert!(tokens.contains(duration), "{duration}: {tokens}");
    }
}

#[test]
fn nothing_makes_the_macro_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let pool: Vec<TokenTree> = ARGUMENTS
        .iter()
        .chain(&ITEMS)
        .flat_map(|text| flatten(text.parse().expect("tokens")))
        .collect();
    for round in 0..6_000_usize {
        let arguments: TokenStream = random.of(&ARGUMENTS).parse().expect("tokens");
        let item: TokenStream = random.of(&ITEMS).parse().expect("tokens");
        let (arguments, item) = match round % 4 {
            0 => (arguments, item),
            1 => (mutate(arguments, &pool, &mut random), item),
            2 => (arguments, mutate(item, &pool, &mut random)),
            _ => (mutate(arguments, &pool, &mut random), mutate(item, &pool, &mut random)),
        };
        let surroundings = SURROUNDINGS[round % SURROUNDINGS.len()];
        let (shown_arguments, shown_item) = (arguments.to_string(), item.to_string());
        let expanded = catch_unwind(AssertUnwindSafe(|| cached(arguments, item, || surroundings)));
        let Ok(tokens) = expanded else {
            panic!("#[cached({shown_arguments})]\n{shown_item}");
        };
        // What is accepted is well formed, as far as the user's own tokens are.
        if round % 4 == 0 && !tokens.to_string().contains("compile_error") {
            let free = tokens.to_string().contains(" enum ");
            let items = if free { tokens } else { quote::quote!(impl X { #tokens }) };
            let parsed = syn::parse2::<syn::File>(items.clone());
            assert!(parsed.is_ok(), "#[cached({shown_arguments})]\n{shown_item}\n{items}");
        }
    }
}

#[test]
fn no_text_in_a_literal_makes_the_macro_panic() {
    let mut random = Random(7);
    let alphabet: Vec<char> = "<>{}.:ab0_ r#\"é%*\\\u{301}🕐-+".chars().collect();
    for _ in 0..4_000 {
        let text: String = (0..random.below(12)).map(|_| *random.of(&alphabet)).collect();
        let literal = proc_macro2::Literal::string(&text);
        let arguments =
            quote::quote!(key = #literal, ttl = #literal, tags = [#literal], jitter = #literal);
        let item = quote::quote!(
            async fn f(a: u64, b: (u64, u64)) -> u64 {
                a
            }
        );
        let expanded = catch_unwind(|| cached(arguments, item, || Surroundings::Free));
        assert!(expanded.is_ok(), "{text:?}");
    }
}

/// One to four changes: a token away, doubled, replaced or added, at any depth.
fn mutate(tokens: TokenStream, pool: &[TokenTree], random: &mut Random) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(trees.len() + 1);
        match (random.below(5), trees.get(at).cloned()) {
            (0, Some(_)) => drop(trees.remove(at)),
            (1, Some(tree)) => trees.insert(at, tree),
            (2, Some(_)) => trees[at] = random.of(pool).clone(),
            (3, Some(TokenTree::Group(group))) => {
                let delimiter =
                    *random.of(&[Delimiter::Parenthesis, Delimiter::Brace, Delimiter::None]);
                trees[at] = Group::new(delimiter, group.stream()).into();
            }
            (_, Some(TokenTree::Group(group))) => {
                let inner = mutate(group.stream(), pool, random);
                trees[at] = Group::new(group.delimiter(), inner).into();
            }
            _ => trees.insert(at, random.of(pool).clone()),
        }
    }
    trees.into_iter().collect()
}

fn flatten(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|tree| match &tree {
            TokenTree::Group(group) => {
                let mut inner = flatten(group.stream());
                inner.push(tree.clone());
                inner
            }
            _ => vec![tree],
        })
        .collect()
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % end.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
