//! Functions that call one another, and removals of several names that one value may be made of.

use super::Scenario;
use crate::removal::{Act, Asks, Blocks, Function, Holds, Promises, Removals, Writer};

/// The outer function's tag, in the first bucket, and the inner one's, in the second.
pub(super) const OUTER: usize = 0;
pub(super) const INNER: usize = 1;
/// The epoch of the inner tag's family, in the first bucket.
const EPOCH: usize = 2;
/// Another tag of the outer function or that of the function between the two, in the second bucket.
const OTHER: usize = 3;

pub(super) fn carrying(marks: &[usize], bucket: usize) -> Function {
    Function { carries: marks.to_vec(), bucket, ..Function::default() }
}

/// Commits, and removes in these phases.
pub(super) fn after_commit(phases: Vec<Vec<Vec<Act>>>) -> Writer {
    let all = [vec![vec![vec![Act::Commits]]], phases].concat();
    Writer { phases: all, promises: Promises::AtOk }
}

pub(super) fn each(acts: impl IntoIterator<Item = Act>) -> Vec<Vec<Act>> {
    acts.into_iter().map(|act| vec![act]).collect()
}

/// Marks in several buckets, as they are removed (`Steps::unlink_apart`).
pub(super) fn held(marks: &[usize]) -> Writer {
    let holds = each(marks.iter().copied().map(Act::Holds));
    after_commit(vec![holds, each(marks.iter().copied().map(Act::Releases))])
}

/// The same marks, which nobody holds meanwhile.
pub(super) fn plain(marks: &[usize]) -> Writer {
    after_commit(vec![each(marks.iter().copied().map(Act::Removes))])
}

fn blocked(cells: &[usize]) -> Writer {
    let blocks = each(cells.iter().copied().map(Act::Blocks));
    after_commit(vec![blocks, each(cells.iter().copied().map(Act::Unblocks))])
}

/// Somebody who removes something without a change.
pub(super) fn other(act: Act) -> Writer {
    Writer { phases: vec![vec![vec![act]]], promises: Promises::Nothing }
}

fn own_tags() -> Vec<Function> {
    vec![carrying(&[OUTER], 0), carrying(&[INNER], 1)]
}

fn three_deep() -> Vec<Function> {
    vec![carrying(&[OUTER], 0), carrying(&[OTHER], 1), carrying(&[INNER], 1)]
}

fn from_result() -> Vec<Function> {
    let outer = Function { result: Some((INNER, EPOCH)), ..Function::default() };
    vec![outer, carrying(&[INNER], 1)]
}

/// Functions with nothing but their keys.
fn keys(functions: usize) -> Vec<Function> {
    (0..functions).map(|at| carrying(&[], at % 2)).collect()
}

fn few(functions: Vec<Function>, writers: Vec<Writer>) -> Removals {
    Removals { callers: vec![0; 2], ..Removals::of(functions, writers) }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let groups =
        [tags(), result_tags(), shared_names(), lost_holds(), of_keys(), in_memory(), near()];
    groups.into_iter().flatten().collect()
}

fn tags() -> Vec<Scenario> {
    let of = |writer| Removals::of(own_tags(), vec![writer]);
    let shared = vec![carrying(&[INNER], 0), carrying(&[INNER], 1)];
    let at_once = after_commit(vec![vec![vec![Act::Removes(OUTER), Act::Removes(INNER)]]]);
    let deep = |writer| few(three_deep(), vec![writer]);
    vec![
        Scenario::safe("one tag of both", Removals::of(shared, vec![plain(&[INNER])])),
        Scenario::safe(
            "two tags in one bucket, at one instant",
            Removals { buckets: [0; 5], ..of(at_once) },
        ),
        Scenario::safe("two tags apart, held first", of(held(&[OUTER, INNER]))),
        Scenario::without("two tags apart, not held", of(plain(&[OUTER, INNER]))),
        Scenario::safe("three functions, held first", deep(held(&[OUTER, OTHER, INNER]))),
        Scenario::without("three functions, not held", deep(plain(&[OUTER, OTHER, INNER]))),
    ]
}

fn result_tags() -> Vec<Scenario> {
    let of = |writer| Removals::of(from_result(), vec![writer]);
    let at_once = after_commit(vec![vec![vec![Act::Removes(EPOCH), Act::Removes(INNER)]]]);
    let epoch_first = after_commit(vec![each([Act::Removes(EPOCH)]), each([Act::Removes(INNER)])]);
    vec![
        Scenario::safe("result tag and epoch, at one instant", of(at_once)),
        Scenario::safe("result tag and epoch apart, held first", of(held(&[EPOCH, INNER]))),
        Scenario::without("result tag removed after its epoch", of(epoch_first)),
        Scenario::without("result tag and epoch, not held", of(plain(&[EPOCH, INNER]))),
    ]
}

/// Holds a mark that somebody else holds too, for a removal of something else.
pub(super) fn brief(marks: &[usize]) -> Writer {
    let each = |act: fn(usize) -> Act| each(marks.iter().copied().map(act));
    Writer { phases: vec![each(Act::Holds), each(Act::Releases)], promises: Promises::Nothing }
}

/// Two invalidations that name the same mark.
fn shared_names() -> Vec<Scenario> {
    let outer = Function { carries: vec![OUTER, OTHER], ..Function::default() };
    let functions = vec![outer, carrying(&[INNER], 1)];
    let two = few(functions, vec![held(&[OUTER, INNER]), held(&[OTHER, INNER])]);
    let result = few(from_result(), vec![held(&[EPOCH, INNER]), held(&[EPOCH, INNER])]);
    let family = few(from_result(), vec![held(&[EPOCH, INNER]), brief(&[EPOCH])]);
    let by_other = few(from_result(), vec![held(&[EPOCH, INNER]), other(Act::Removes(EPOCH))]);
    let flagged = Removals { holds: Holds::Flagged, notices_lost_holds: false, ..family.clone() };
    vec![
        Scenario::safe("two share a tag", two),
        Scenario::safe("two share a tag and its epoch", result),
        Scenario::safe("two share an epoch, one dies", Removals { crashes: 1, ..family }),
        Scenario::safe("another removal of the epoch", by_other.clone()),
        Scenario::without("two share an epoch, holds are not counted", flagged),
        Scenario::without(
            "another removal ends the hold",
            Removals { removal_ends_holds: true, notices_lost_holds: false, ..by_other },
        ),
    ]
}

/// Holds that end although somebody relies on them.
fn lost_holds() -> Vec<Scenario> {
    let one = few(from_result(), vec![held(&[EPOCH, INNER])]);
    let two = few(from_result(), vec![held(&[EPOCH, INNER]), brief(&[EPOCH])]);
    let copies = few(own_tags(), vec![held(&[OUTER, INNER])]);
    let early = |model: &Removals| Removals { early_ends: 1, ..model.clone() };
    let twice = Removals { repeats: 1, ..two.clone() };
    let fails_over = |model: &Removals| Removals { failovers: 1, ..model.clone() };
    let named = |model: Removals| Removals { holds: Holds::Named, ..model };
    let silent = |model: Removals| Removals { notices_lost_holds: false, ..model };
    vec![
        Scenario::safe("a hold is lost, and missed at its release", early(&one)),
        Scenario::without("a hold is lost, and nobody looks", silent(early(&one))),
        Scenario::safe("named holds: one is lost, another goes on", named(early(&two))),
        Scenario::without("counted holds: one is lost, another goes on", early(&two)),
        Scenario::safe("a release is done twice, missed holds are noticed", twice.clone()),
        Scenario::safe("named holds: a release is done twice", silent(named(twice.clone()))),
        Scenario::without("counted holds: a release is done twice", silent(twice)),
        // What carries a copy was made before it was held, or is removed when it is released.
        Scenario::safe("copies of a scope, and a failover", silent(fails_over(&copies))),
        Scenario::safe("a failover that loses a hold", fails_over(&one)),
        Scenario::without(
            "a failover that loses a hold, and nobody looks",
            silent(fails_over(&one)),
        ),
    ]
}

fn of_keys() -> Vec<Scenario> {
    let at_once = vec![each((0..2).map(Act::RemovesCell))];
    let two = few(keys(2), vec![blocked(&[0, 1])]);
    let three = few(keys(3), vec![blocked(&[0, 1, 2])]);
    let crossed = Removals {
        callers: vec![1, 0, 0],
        writers: vec![blocked(&[0, 1, 2]), other(Act::RemovesCell(1))],
        ..three.clone()
    };
    let with = |blocks, model: &Removals| Removals { blocks, ..model.clone() };
    let shared = few(keys(2), vec![blocked(&[0, 1]), blocked(&[1, 0])]);
    let first = each([Act::Blocks(0), Act::Holds(INNER)]);
    let then = each([Act::Unblocks(0), Act::Releases(INNER)]);
    let key_and_tag = few(
        vec![carrying(&[], 0), carrying(&[INNER], 1)],
        vec![after_commit(vec![first, then]), other(Act::RemovesCell(0))],
    );
    let twice = |blocks| Removals { blocks, ..shared.clone() };
    vec![
        Scenario::safe("two keys apart, blocked first", with(Blocks::Unnoticed, &two)),
        Scenario::without("two keys apart, not blocked", few(keys(2), vec![after_commit(at_once)])),
        Scenario::safe("three keys apart, blocked first", with(Blocks::Unnoticed, &three)),
        Scenario::without(
            "three keys: another removal ends a block",
            with(Blocks::Unnoticed, &crossed),
        ),
        Scenario::safe("three keys: that is noticed", with(Blocks::Noticed, &crossed)).long(),
        Scenario::safe("three keys: it leaves the block", with(Blocks::Kept, &crossed)).long(),
        Scenario::safe("a key and a tag apart", with(Blocks::Unnoticed, &key_and_tag)),
        Scenario::safe("two removals of two keys", twice(Blocks::Unnoticed)),
        Scenario::safe("two removals of two keys, blocks are counted", twice(Blocks::Kept)),
    ]
}

fn in_memory() -> Vec<Scenario> {
    let removal = |acts: [Act; 2]| {
        let names = acts.into_iter().map(|act| each([act])).collect();
        after_commit([vec![each([Act::CountsUp])], names, vec![each([Act::CountsDown])]].concat())
    };
    // Nothing lies beside a cell: the tags are seen one step after it is taken.
    let of = |functions: Vec<Function>, acts, asks| {
        let here = |function| Function { bucket: 2, ..function };
        let functions = functions.into_iter().map(here).collect();
        Removals { asks, ..Removals::of(functions, vec![removal(acts)]) }
    };
    let tags = [Act::Removes(OUTER), Act::Removes(INNER)];
    let result = [Act::Removes(EPOCH), Act::Removes(INNER)];
    let cells = [Act::RemovesCell(0), Act::RemovesCell(1)];
    vec![
        Scenario::safe("in memory: two tags", of(own_tags(), tags, Asks::AfterTags)),
        Scenario::safe("in memory: a result's tag", of(from_result(), result, Asks::AfterTags)),
        Scenario::safe("in memory: two keys", of(keys(2), cells, Asks::AfterTags)),
        Scenario::without("in memory: removals are not counted", of(own_tags(), tags, Asks::Not)),
        Scenario::without(
            "in memory: the count is read before the tags",
            of(own_tags(), tags, Asks::BeforeTags),
        ),
    ]
}

fn near() -> Vec<Scenario> {
    let shared = vec![carrying(&[INNER], 0), carrying(&[INNER], 1)];
    let near = Removals { near: true, ..Removals::of(shared, vec![plain(&[INNER])]) };
    vec![
        Scenario::safe("a load reads past the near cache (K2)", near.clone()),
        Scenario::without(
            "a load reads from the near cache (K1)",
            Removals { reads_past_near: false, ..near },
        ),
    ]
}
