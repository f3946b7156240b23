//! No input makes a macro panic: seeded random attributes and items, valid, broken and absurd.

use std::str::FromStr;

use proc_macro2::TokenStream;

use super::{cache_keys, invalidates, key_part, write_through};

/// A small seeded generator (splitmix64): failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn some(&mut self, from: &[&str], most: usize, between: &str) -> String {
        let count = self.below(most + 1);
        (0..count).map(|_| self.pick(from)).collect::<Vec<_>>().join(between)
    }
}

/// Literals where templates and times trip.
const LITERALS: &[&str] = &[
    r#""user:<id>""#,
    r#""{id.0}:<self.x>""#,
    r#""<result.r#type>:<type>""#,
    r#""<""#,
    r#""><""#,
    r#""""#,
    r#"r"<id>""#,
    r#""\u{0}<id>\n""#,
    r#""<ⅷ.\u{345}>""#,
    r#""<id.99999999999>""#,
    r#""<id.r#self>""#,
    r#""<id.self>""#,
    r#""<id.crate>""#,
    r#""30m""#,
    r#""-1s""#,
    r#""99999999999999999w""#,
    r#""return""#,
    "0",
    "-5",
    "1.5",
    "18446744073709551616",
    "b\"x\"",
    "'c'",
    r#""<a>:<b>:<c>:<d>:<e>:<f>:<g>:<h>:<i>:<j>:<k>:<l>:<m>""#,
    r#""<id>é<id>{{}}""#,
];
const CALLS: &[&str] = &[
    "get_user(id)",
    "get_user",
    "self.get_user(id)",
    "self.get_user",
    "Self::f::<T>(id)",
    "<T as U>::f(id)",
    "a::b::c(result.id)",
    "r#fn(self.x, result)",
    "f()()",
    "f(?)",
    "f(id?).await",
    "|x| x",
    "5 + 5",
    "_",
    "..",
    "*",
    "f(|| result)",
    "{ result }",
    "result",
    "tags(1)",
    "m!(result)",
    "f(result[0].r#in)",
    "\"<id>\"",
];
const NAMES: &[&str] = &["tags", "ttl", "on_error", "crate", "key", "tll", "r#tags", "self"];
const TYPES: &[&str] = &[
    "u64",
    "&str",
    "&'a T",
    "impl Into<String>",
    "[T; N]",
    "()",
    "!",
    "_",
    "Result<T, E>",
    "dyn Fn() -> T",
    "f64",
];
const RECEIVERS: &[&str] =
    &["", "self,", "&self,", "&'a mut self,", "mut self,", "self: Arc<Self>,", "self: &mut Self,"];
const PATTERNS: &[&str] = &[
    "id",
    "mut id",
    "_",
    "(a, b)",
    "User { id, .. }",
    "r#type",
    "ref x @ Some(_)",
    "result",
    "&x",
    "x | y",
];

fn arguments(random: &mut Random) -> String {
    let mut all = Vec::new();
    for _ in 0..random.below(4) {
        all.push(match random.below(4) {
            0 => random.pick(CALLS).to_owned(),
            1 => format!("{} = [{}]", random.pick(NAMES), random.some(LITERALS, 3, ",")),
            2 => format!("{} = {}", random.pick(NAMES), random.pick(LITERALS)),
            _ => format!("{} {}", random.pick(NAMES), random.pick(CALLS)),
        });
    }
    all.join(random.pick(&[",", ", ,", " ", ";"]))
}

fn parameters(random: &mut Random) -> String {
    let mut all = random.pick(RECEIVERS).to_owned();
    for _ in 0..random.below(4) {
        all.push_str(&format!("{}: {},", random.pick(PATTERNS), random.pick(TYPES)));
    }
    all
}

fn function(random: &mut Random, body: &[&str]) -> String {
    format!(
        "{} {} fn {}{}({}) {} {}",
        random.pick(&["", "/// doc\n", "#[cfg(any())]", "pub", "#[inline] pub(crate)"]),
        random.pick(&["async", "async", "", "const", "unsafe", "extern \"C\""]),
        random.pick(&["f", "r#fn", "user_pattern", "user"]),
        random.pick(&["", "<T>", "<'a, T: U, const N: usize>"]),
        parameters(random),
        random.pick(&[
            "",
            "-> u64",
            "-> impl Display",
            "-> &'a T",
            "-> Result<T, E>",
            "-> ()",
            "-> !"
        ]),
        random.pick(body),
    )
}

fn keys(random: &mut Random) -> String {
    let mut items = String::new();
    for _ in 0..random.below(4) {
        items.push_str(&match random.below(6) {
            0 => "const A: u64;".to_owned(),
            1 => "#[key]".to_owned(),
            _ => format!("#[key({}, {})]", random.pick(LITERALS), arguments(random)),
        });
        items.push_str(&function(random, &[";", ";", ";", "{}"]));
    }
    let head = random.pick(&[
        "trait Keys",
        "pub trait r#type<T>: Send where T: U",
        "unsafe auto trait K",
        "struct S",
        "trait",
    ]);
    format!("{head} {{ {items} }}")
}

fn derived(random: &mut Random) -> String {
    let attribute = random.pick(&[
        "",
        "#[key_part]",
        "#[key_part(crate = a::b)]",
        "#[key_part(x = 1)]",
        "#[key_part = \"x\"]",
    ]);
    let item = random.pick(&[
        "struct A;",
        "struct A(u64);",
        "struct A { r#type: T }",
        "struct A<T: U = X>(T, PhantomData<T>) where T: V;",
        "struct A();",
        "enum E {}",
        "enum E { A, B = 5, r#C, aB, AB }",
        "enum E { A(u64), B { c: u8 } }",
        "union U { a: u64 }",
        "enum É { ß, ǅ, İ }",
        "struct A<'a, const N: usize>([&'a T; N], u8);",
        "fn f() {}",
    ]);
    format!("{attribute} {item}")
}

/// What lexes is expanded; the answer only has to be one.
fn tokens(text: &str) -> Option<TokenStream> {
    TokenStream::from_str(text).ok()
}

#[test]
fn no_input_makes_a_macro_panic() {
    let mut random = Random(7);
    let mut expanded = 0;
    for _ in 0..3_000 {
        let (args, bodies) = (arguments(&mut random), ["{ body }", "{}", ";", ""]);
        let (writer, keys, part) =
            (function(&mut random, &bodies), keys(&mut random), derived(&mut random));
        let Some(args) = tokens(&args) else { continue };
        expanded += 1;
        if let Some(writer) = tokens(&writer) {
            let _ =
                (invalidates(args.clone(), writer.clone()), write_through(args.clone(), writer));
        }
        if let Some(keys) = tokens(&keys) {
            let _ = (cache_keys(TokenStream::new(), keys.clone()), cache_keys(args, keys));
        }
        if let Some(part) = tokens(&part) {
            let _ = key_part(part);
        }
    }
    assert!(expanded > 1_500, "only {expanded} were tried");
}
