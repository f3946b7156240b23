use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::NonZero;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{ArgBytes, Args, IntoKey, Key, KeyPart, PartWriter, Piece, render};
use crate::tag::Tag;

pub(super) fn text(part: &(impl KeyPart + ?Sized)) -> String {
    let mut text = String::new();
    part.write_part(&mut PartWriter::new(&mut text));
    text
}

pub(super) fn bytes(part: &(impl KeyPart + ?Sized)) -> ArgBytes {
    let mut bytes = ArgBytes::new();
    part.encode_part(&mut bytes);
    bytes
}

fn rendered(pieces: &[Piece], args: &impl Args) -> String {
    let mut text = String::new();
    render(pieces, args, &mut text);
    text
}

#[test]
fn plain_values_stay_plain() {
    assert_eq!(text(&42_u64), "42");
    assert_eq!(text(&0_u8), "0");
    assert_eq!(text(&u64::MAX), "18446744073709551615");
    assert_eq!(text(&u128::MAX), u128::MAX.to_string());
    assert_eq!(text(&-7_i8), "-7");
    assert_eq!(text(&i128::MIN), i128::MIN.to_string());
    assert_eq!(text(&usize::MAX), usize::MAX.to_string());
    assert_eq!(text(&isize::MIN), isize::MIN.to_string());
    assert_eq!(text(&NonZero::new(9_u32).unwrap()), "9");
    assert_eq!((text(&true), text(&false)), ("true".to_owned(), "false".to_owned()));
    assert_eq!((text(&'x'), text(&'é')), ("x".to_owned(), "é".to_owned()));
    for plain in [
        "",
        "alice@example.org",
        "a b/c.d-e_f~g!h+i=j;k,l(m)n<o>p\"q'r^s|t`u#v$w&",
        "héllo £5 日本 🦀",
    ] {
        assert_eq!(text(plain), plain);
    }
    assert_eq!(text(Path::new("/srv/data")), "/srv/data");
    assert_eq!(text(&IpAddr::from([10, 0, 0, 1])), "10.0.0.1");
    assert_eq!(text(&Ipv4Addr::LOCALHOST), "127.0.0.1");
}

#[test]
fn reserved_characters_are_escaped() {
    assert_eq!(text("a:b%c*d?e[f]g\\h{i}"), "a%3Ab%25c%2Ad%3Fe%5Bf%5Dg%5Ch%7Bi%7D");
    assert_eq!(text("\0\n\u{7f}\u{80}\u{9f}\u{a0}"), "%00%0A%7F%C2%80%C2%9F\u{a0}");
    assert_eq!(text(&':'), "%3A");
    assert_eq!(text(&Ipv6Addr::LOCALHOST), "%3A%3A1");
    assert_eq!(text(&SocketAddr::from(([10, 0, 0, 1], 80))), "10.0.0.1%3A80");
}

#[test]
fn options_show_what_they_hold() {
    assert_eq!(text(&Some(5_u8)), "5");
    assert_eq!(text(&None::<u8>), "%none");
    assert_eq!(text(&Some("%none")), "%25none");
    assert_eq!(text(&Some(None::<u8>)), "%some%none");
    assert_eq!(text(&Some(Some(None::<u8>))), "%some%some%none");
    assert_eq!(text(&Some((None::<u8>, Some(1_u8)))), "(%none,1)");
    // A newtype that only delegates keeps the levels apart, too.
    struct Newtype(Option<u8>);
    impl KeyPart for Newtype {
        fn write_part(&self, out: &mut PartWriter<'_>) {
            self.0.write_part(out);
        }
    }
    assert_eq!(text(&Some(Newtype(None))), "%some%none");
    assert_eq!(text(&None::<Newtype>), "%none");
}

#[test]
fn compounds_are_in_parentheses() {
    assert_eq!(text(&(1_u8, "a,b", (2_u8,))), "(1,a%2Cb,(2))");
    assert_eq!(text(&vec!["(x)", "y"]), "(%28x%29,y)");
    assert_eq!(text(&[1_u8, 2, 3]), "(1,2,3)");
    assert_eq!(text(&[0_u16; 0]), "()");
    assert_eq!(text(&Vec::<&str>::new()), "()");
    assert_eq!(text(&vec![""]), "(%empty)");
    assert_eq!(text(&vec!["", ""]), "(,)");
    assert_eq!(text(&vec![Vec::<u8>::new()]), "(())");
    assert_eq!(text(&(1, 2, 3, 4, 5, 6)), "(1,2,3,4,5,6)");
    assert_eq!(text("a,(b)"), "a,(b)");
}

#[test]
fn pointers_are_what_they_point_to() {
    let mut number = 7_u32;
    for other in [
        bytes(&Box::new(7_u32)),
        bytes(&Rc::new(7_u32)),
        bytes(&Arc::new(7_u32)),
        bytes(&&7_u32),
        bytes(&&mut number),
    ] {
        assert_eq!(other, bytes(&7_u32));
    }
    let slice: Box<str> = "a:b".into();
    let cow: Cow<'_, str> = Cow::Borrowed("a:b");
    let list: Cow<'_, [u8]> = Cow::Owned(vec![1, 2]);
    assert_eq!(text(&slice), "a%3Ab");
    assert_eq!((text(&cow), bytes(&cow)), ("a%3Ab".to_owned(), bytes("a:b")));
    assert_eq!((text(&list), bytes(&list)), ("(1,2)".to_owned(), bytes(&[1_u8, 2][..])));
    assert_eq!(text(&Arc::<str>::from("x")), "x");
}

#[test]
fn socket_addresses_that_display_alike_are_told_apart() {
    let plain = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0);
    let scoped = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 3);
    let flow = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 9, 0);
    let all = [plain, scoped, flow].map(SocketAddr::V6);
    assert_eq!(all.iter().map(text).collect::<HashSet<_>>().len(), 3);
    assert_eq!(all.iter().map(bytes).collect::<HashSet<_>>().len(), 3);
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_text_are_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    assert_eq!(text(Path::new(OsStr::from_bytes(b"a\xffb"))), "a%FFb");
    assert_eq!(text(Path::new(OsStr::from_bytes(b"a%FFb"))), "a%25FFb");
    assert_eq!(text(Path::new(OsStr::from_bytes(b"\xe2\x82"))), "%E2%82");
}

#[test]
fn the_character_that_follows_is_escaped() {
    let pieces = [Piece::Text("k/"), Piece::Arg(0), Piece::Text("-to-"), Piece::Arg(1)];
    assert_eq!(rendered(&pieces, &("a-b", "c-d")), "k/a%2Db-to-c-d");
    assert_eq!(rendered(&pieces, &(&-5_i8, &-6_i8)), "k/%2D5-to--6");
    let pieces = [Piece::Arg(0), Piece::Text("é"), Piece::Arg(1)];
    assert_eq!(rendered(&pieces, &("é", "é")), "%C3%A9éé");
    let pieces = [Piece::Arg(0), Piece::Text(""), Piece::TypeName(|| "x::Y"), Piece::Arg(0)];
    assert_eq!(rendered(&pieces, &("xy",)), "%78yx::Yxy");
}

#[test]
fn digits_that_follow_are_escaped_in_numbers() {
    let pieces = [Piece::Arg(0), Piece::Text("0"), Piece::Arg(1)];
    assert_eq!(rendered(&pieces, &(&10_u32, &20_u32)), "1%30020");
    assert_eq!(rendered(&pieces, &(&1_u32, &20_u32)), "1020");
}

#[test]
fn a_percent_sign_of_the_template_is_doubled_after_an_argument() {
    let pieces = [Piece::Text("100%:"), Piece::Arg(0), Piece::Text("%02"), Piece::Arg(1)];
    assert_eq!(rendered(&pieces, &("x", "y\u{2}z")), "100%:x%%02y%02z");
    assert_eq!(rendered(&pieces, &("x\u{2}y", "z")), "100%:x%02y%%02z");
}

#[test]
fn templates_render_as_written() {
    let pieces = [Piece::Text("user:"), Piece::Arg(0)];
    assert_eq!(rendered(&pieces, &(&42_u64,)), "user:42");
    assert_eq!(rendered(&[Piece::Text("all")], &()), "all");
    let pieces = [Piece::Arg(11), Piece::Text(":"), Piece::Arg(0)];
    assert_eq!(rendered(&pieces, &(&0, &1, &2, &3, &4, &5, &6, &7, &8, &9, &10, "last")), "last:0");
    let mut text = "app:".to_owned();
    render(&[Piece::Text("x")], &(), &mut text);
    assert_eq!(text, "app:x");
}

#[test]
fn fixed_width_parts_take_their_width() {
    let widths = [
        bytes(&1_u8),
        bytes(&1_u16),
        bytes(&1_u32),
        bytes(&1_u64),
        bytes(&1_u128),
        bytes(&1_usize),
    ];
    assert_eq!(widths.map(|part| part.as_slice().len()), [1, 2, 4, 8, 16, 8]);
    assert_eq!(bytes(&42_u64).as_slice(), 42_u64.to_ne_bytes());
    assert_eq!(bytes(&-1_i64).as_slice(), (-1_i64).to_ne_bytes());
}

#[test]
fn equal_bytes_of_equal_shapes_mean_equal_text_whatever_the_types() {
    fn all<T: KeyPart>(part: &T) -> (u64, ArgBytes, String) {
        (T::SHAPE, bytes(part), text(part))
    }
    let lists = [
        all(&u64::MAX),
        all(&-1_i64),
        all(&1_u8),
        all(&true),
        all(&Some(1_u8)),
        all(&'a'),
        all(&97_u32),
        all(&std::net::Ipv4Addr::from(97)),
        all(&97_u128),
        all(&std::net::Ipv6Addr::from(97)),
        all(&None::<u8>),
        all(&Vec::<u8>::new()),
        all(&[0_u8; 1]),
        all(&((1_u8, 2_u8), 3_u8)),
        all(&(1_u8, (2_u8, 3_u8))),
        all(&"a:b"),
        all(&vec![""]),
        all(&("",)),
    ];
    for (one_shape, one_bytes, one_text) in &lists {
        for (other_shape, other_bytes, other_text) in &lists {
            let same = (one_shape, one_bytes) == (other_shape, other_bytes);
            assert!(!same || one_text == other_text, "{one_text} and {other_text}");
        }
    }
}

#[test]
fn long_lists_leave_the_stack_unharmed() {
    for first in 0..=140 {
        for second in [0, 1, 4, 100, 130] {
            let (one, two) = ("x".repeat(first), "y".repeat(second));
            let mut list = ArgBytes::new();
            (one.as_str(), two.as_str(), &7_u8).encode(&mut list);
            let mut expected = Vec::new();
            expected.extend_from_slice(&u32::try_from(first).unwrap().to_ne_bytes());
            expected.extend_from_slice(one.as_bytes());
            expected.extend_from_slice(&u32::try_from(second).unwrap().to_ne_bytes());
            expected.extend_from_slice(two.as_bytes());
            expected.push(7);
            assert_eq!(list.as_slice(), expected);
            assert_eq!(list.clone(), list);
        }
    }
}

#[test]
fn parts_without_an_encoding_use_their_text() {
    struct Text<'a>(&'a str);
    impl KeyPart for Text<'_> {
        fn write_part(&self, out: &mut PartWriter<'_>) {
            out.write_str(self.0);
        }
    }
    let pairs =
        [("", "ab"), ("a", "b"), ("ab", ""), ("a:", "b")].map(|(a, b)| bytes(&(Text(a), Text(b))));
    assert_eq!(pairs.iter().collect::<HashSet<_>>().len(), 4);
    for len in 0..200 {
        let long = "x".repeat(len);
        let part = bytes(&(Text(&long), 5_u8));
        assert_eq!(part.as_slice().len(), 8 + len + 1);
        assert_eq!(part.as_slice()[..8], (len as u64).to_ne_bytes());
    }
    assert_eq!(bytes(&vec![Text("")]), bytes(&vec![Text("")]));
    assert_ne!(bytes(&vec![Text("")]), bytes(&Vec::<Text<'_>>::new()));
}

#[test]
fn unbalanced_compounds_do_not_panic() {
    let mut text = String::new();
    let mut out = PartWriter::new(&mut text);
    out.close();
    out.separator();
    out.write_str("(");
    out.open();
    out.write_str("(");
    assert_eq!(text, "),((%28");
}

#[test]
fn a_display_that_fails_does_not_panic() {
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a:")?;
            Err(std::fmt::Error)
        }
    }
    let mut text = String::new();
    PartWriter::new(&mut text).write_display(Fails);
    assert_eq!(text, "a%3A");
}

#[test]
fn keys_are_equal_by_text() {
    let key = Key::<u8>::new("a")
        .with_ttl(Duration::from_secs(1))
        .with_tags(["x"])
        .with_tags([Tag::new("y")]);
    assert_eq!(key, Key::new("a"));
    assert_ne!(key, Key::new("b"));
    assert_eq!(key.tags(), [Tag::from("x"), Tag::from("y")]);
    assert_eq!(format!("{key:>3}|{:?}", Key::<u8>::new("b")), "  a|Key { text: \"b\" }");
    let other: Key<String> = key.clone().cast();
    assert_eq!((other.as_str(), other.ttl()), ("a", Some(Duration::from_secs(1))));
}

#[test]
fn text_and_keys_go_where_keys_are_taken() {
    fn taken(key: impl IntoKey<u8>) -> String {
        key.into_key().into_string()
    }
    let key = Key::<u8>::new("k");
    let owned = "k".to_owned();
    let all = [
        taken("k"),
        taken(&owned),
        taken(owned.clone()),
        taken(Cow::Borrowed("k")),
        taken(Arc::<str>::from("k")),
        taken(&key),
        taken(key.clone()),
    ];
    assert!(all.iter().all(|text| text == "k"));
}

#[test]
fn keys_and_errors_cross_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    // Even where the value can not.
    check::<Key<Rc<u8>>>();
    check::<ArgBytes>();
    check::<Tag>();
    check::<crate::error::Error>();
}

#[test]
fn the_bytes_of_one_string_are_its_own_and_no_two_strings_share_them() {
    let texts = ["", "\0", "\0\0\0\0", "a", "a:b", "\u{ff}"];
    let bytes: HashSet<Vec<u8>> =
        texts.iter().map(|text| (text,).with_bytes(<[u8]>::to_vec)).collect();
    assert_eq!(bytes.len(), texts.len());
    assert!(bytes.iter().all(|bytes| !bytes.is_empty()));
    assert_eq!((&"abc".to_owned(),).with_bytes(<[u8]>::to_vec), b"abc");
    assert_eq!(().with_bytes(<[u8]>::to_vec), [0]);
    assert_eq!((&1_u8, &2_u8).with_bytes(<[u8]>::to_vec), [1, 2]);
}
