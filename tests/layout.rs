//! The house keeps its floors: a module imports lower floors and, on its own floor, modules that
//! do not lead back to it. Files stay short enough to read in one go, and every decision record
//! is in the index.
//!
//! The test reads the sources as text, `crate::` paths only, so it needs no parser and says
//! exactly which line broke which rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where each module of the runtime lives. A new module gets its line here.
const RUNTIME: &[(&str, u8)] = &[
    ("clock", 0),
    ("config", 0),
    ("error", 0),
    ("key", 0),
    ("logging", 0),
    ("pattern", 0),
    ("policy", 0),
    ("site", 0),
    ("stats", 0),
    ("sync", 0),
    ("tag", 0),
    ("entry", 1),
    ("near", 2),
    ("provider", 2),
    ("flight", 3),
    ("resilience", 3),
    ("cache", 4),
    ("registry", 4),
    ("conformance", 5),
    ("fuzzing", 5),
    ("http", 5),
    ("macro_support", 5),
    ("patterns", 5),
    ("testing", 5),
];

/// Where each module of the macros lives.
const MACROS: &[(&str, u8)] = &[
    ("diagnostics", 0),
    ("template", 0),
    ("text", 0),
    ("model", 1),
    ("parse", 1),
    ("validate", 2),
    ("expand", 3),
    ("attr", 4),
];

const MOST_LINES: usize = 400;

#[test]
fn runtime_modules_import_downwards_only() {
    assert_floors("cache-runtime", RUNTIME);
}

#[test]
fn macro_modules_import_downwards_only() {
    assert_floors("cache-macros", MACROS);
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<String> = ["cache-runtime", "cache-macros", "tests", "examples", "benches"]
        .iter()
        .flat_map(|folder| rust_files(&repository().join(folder)))
        .filter_map(|file| {
            let lines = read(&file).lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", shown(&file)))
        })
        .collect();
    assert!(long.is_empty(), "files of more than {MOST_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn every_decision_record_is_in_the_index() {
    let folder = repository().join("docs/decisions");
    let index = read(&folder.join("README.md"));
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(&folder).expect("docs/decisions can be listed") {
        let name = entry.expect("a folder entry").file_name().into_string().expect("a UTF-8 name");
        if name == "README.md" {
            continue;
        }
        let number = name.split('-').next().unwrap_or_default().to_owned();
        assert!(
            number.len() == 4 && number.parse::<u16>().is_ok(),
            "`{name}` begins with no number of four digits"
        );
        assert!(numbers.insert(number), "the number of `{name}` is taken twice");
        assert!(
            index.contains(&format!("({name})")),
            "`{name}` is missing in docs/decisions/README.md"
        );
    }
}

/// One `crate::` path: the line that names it and the top-level module that it reaches.
struct Import {
    line: usize,
    target: String,
}

fn assert_floors(package: &str, floors: &[(&str, u8)]) {
    let source = repository().join(package).join("src");
    let floor_of: BTreeMap<&str, u8> = floors.iter().copied().collect();
    let root = root_names(&without_comments(&read(&source.join("lib.rs"))));
    let mut faults = Vec::new();
    let mut same_floor: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();

    for file in rust_files(&source).into_iter().filter(|file| !is_test(file)) {
        let Some(module) = top_module(&source, &file) else {
            continue;
        };
        let Some(&own) = floor_of.get(module.as_str()) else {
            faults.push(format!(
                "{}: module `{module}` has no floor; add it to tests/layout.rs",
                shown(&file)
            ));
            continue;
        };
        for import in imports(&without_tests(&without_comments(&read(&file)))) {
            let target = root.get(&import.target).unwrap_or(&import.target);
            let place = format!("{}:{}", shown(&file), import.line);
            match floor_of.get(target.as_str()) {
                _ if *target == module => {}
                None => {
                    faults.push(format!("{place}: `crate::{target}` is no module of a known floor"))
                }
                Some(&other) if other > own => {
                    faults.push(format!(
                        "{place}: `{module}` (floor {own}) imports `{target}` (floor {other})"
                    ));
                }
                Some(&other) if other == own => {
                    same_floor.entry(module.clone()).or_default().insert(target.clone());
                }
                Some(_) => {}
            }
        }
    }
    for (module, targets) in &same_floor {
        for target in targets.iter().filter(|target| reaches(&same_floor, target, module)) {
            faults.push(format!(
                "`{module}` imports `{target}` of its own floor, which leads back to it"
            ));
        }
    }
    assert!(faults.is_empty(), "{package}:\n{}", faults.join("\n"));
}

/// Whether `from` leads to `to` in one step or more.
fn reaches(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in edges.get(module).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    false
}

/// The module right below the crate root that a file belongs to; `None` for `lib.rs`.
fn top_module(source: &Path, file: &Path) -> Option<String> {
    let first = file.strip_prefix(source).ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    let is_test_file = file
        .file_stem()
        .is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"));
    (name != "lib" && !is_test_file).then(|| name.to_owned())
}

/// What `lib.rs` re-exports: each name with the module that it comes from.
fn root_names(lib: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in lib.split(';') {
        let Some(at) = statement.find("use ") else {
            continue;
        };
        let path =
            statement[at + 4..].trim().trim_start_matches("crate::").trim_start_matches("self::");
        let Some((module, rest)) = path.split_once("::") else {
            continue;
        };
        for name in
            rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty())
        {
            names.insert(name.to_owned(), module.to_owned());
        }
    }
    names
}

/// Every `crate::` path of a source, `crate::{a, b}` as two. Paths of `$crate` belong to macros
/// and resolve in the caller; `crate::name!` and `crate::__name` are macros without a module.
fn imports(source: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let before = source[..at].chars().next_back();
        if before.is_some_and(|c| c == '$' || c == '_' || c == ':' || c.is_alphanumeric()) {
            continue;
        }
        let line = source[..at].matches('\n').count() + 1;
        let rest = &source[at + "crate::".len()..];
        let targets = match rest.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => identifier(rest).into_iter().collect(),
        };
        found.extend(targets.into_iter().map(|target| Import { line, target }));
    }
    found
}

/// The first names of the paths in `{a::b, c::{d, e}}`, the opening brace already taken off.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 1;
    let mut starts = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => starts = true,
            c if starts && !c.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                starts = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// The identifier that a text begins with, unless it names a macro.
fn identifier(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let is_macro = text.starts_with("__") || text[end..].starts_with('!');
    (end > 0 && !is_macro).then(|| text[..end].to_owned())
}

/// The source with the rest of every commented line blanked, line numbers kept.
fn without_comments(source: &str) -> String {
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a file holds nothing but unit tests, which may reach any floor.
fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.ends_with("tests") || file.iter().any(|folder| folder == "tests")
}

/// The source up to its unit tests, which may reach any floor.
fn without_tests(source: &str) -> String {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.map(|entry| entry.expect("a folder entry").path()) {
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
        .to_owned()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{} can be read: {error}", shown(file)))
}

/// The file relative to the repository, as messages show it.
fn shown(file: &Path) -> String {
    file.strip_prefix(repository()).unwrap_or(file).display().to_string()
}

#[test]
fn the_reader_finds_paths_as_the_compiler_does() {
    let source = "use crate::{error::{Error, Result}, key::Key};\nlet x = crate::clock::now();\n$crate::no; other_crate::no; crate::mac!()";
    let found: Vec<(usize, String)> =
        imports(source).into_iter().map(|import| (import.line, import.target)).collect();
    let expected =
        [(1, "error"), (1, "key"), (2, "clock")].map(|(line, name)| (line, name.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn a_circle_on_one_floor_is_seen() {
    let edge = |to: &str| BTreeSet::from([to.to_owned()]);
    let edges = BTreeMap::from([
        ("a".to_owned(), edge("b")),
        ("b".to_owned(), edge("c")),
        ("c".to_owned(), edge("b")),
    ]);
    assert!(reaches(&edges, "b", "b"));
    assert!(!reaches(&edges, "a", "a"));
}
