//! Invalidations that the store has not acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::health::Counter;
use super::names::{Name, NameRef};
use crate::Pattern;
use crate::provider::{Expected, Fill, Lookup, Mark, MarkState, Observed, Refusal, Removal};

/// So many names are removed with one command.
const BATCH: usize = 512;

/// So many patterns wait at most: each is a scan of the store, and is looked at by each read.
const MOST_PATTERNS: usize = 100;

/// What is to be removed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Invalidation<'a> {
    Names(Removal<'a>),
    Matching(&'a Pattern),
    All,
}

/// What is sent to the store in one command.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Names(Vec<Name>),
    Matching(Pattern),
    All,
}

/// A task, and when it was taken from the outbox.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) task: Task,
    taken: u64,
}

impl Delivery {
    /// The same for each name alone.
    pub(super) fn singly(&self) -> Vec<Self> {
        let Task::Names(names) = &self.task else { return vec![self.clone()] };
        let one = |name: &Name| Self { task: Task::Names(vec![name.clone()]), taken: self.taken };
        names.iter().map(one).collect()
    }
}

/// The invalidations that were issued, and that the store has not acknowledged yet.
///
/// - The same name waits once, and the removal of everything swallows what was asked before it.
/// - A name leaves only when the store acknowledged a command that was *sent after* it was asked
///   for, the last time it was: every asking and sending gets a number.
/// - Epochs go before other marks, and marks in the order asked. Cells depend on no order and are
///   taken in turns, so that a part of the store that is down does not hold up the others'.
/// - While it waits, whatever is covered is hidden from this process ([`Outbox::view`]), as if the
///   removal had taken effect when it was asked for. Nothing waiting costs one relaxed load.
/// - It is bounded. At the bound all names become one removal of the whole namespace: that removes
///   more than was asked, which costs loads and is never wrong.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: AtomicUsize,
    queue: Mutex<Queue>,
    most_names: usize,
    pub(super) escalations: Counter,
}

#[derive(Debug, Default)]
struct Queue {
    /// The number of the latest asking.
    asked: u64,
    names: HashMap<Name, Place, RandomState>,
    order: BTreeMap<(u8, u64), Name>,
    /// Where the next batch of cells begins.
    next_cell: u64,
    patterns: Vec<(Pattern, u64)>,
    all: Option<u64>,
    /// The latest asking that a removal of everything has been sent after.
    all_sent: u64,
    escalated: bool,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    order: (u8, u64),
    asked: u64,
}

impl Outbox {
    pub(super) fn new(most_names: usize) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            queue: Mutex::default(),
            most_names: most_names.max(1),
            escalations: Counter::default(),
        }
    }

    /// How many invalidations wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether any waits. Whoever learned that an invalidation failed sees it here, since what made
    /// them learn it orders this load too.
    pub(super) fn is_waiting(&self) -> bool {
        self.len() != 0
    }

    /// Takes in what the store has not acknowledged.
    pub(super) fn ask(&self, what: Invalidation<'_>) {
        let mut queue = self.lock();
        queue.asked += 1;
        match what {
            Invalidation::All => queue.ask_all(),
            Invalidation::Matching(pattern) => queue.ask_matching(pattern),
            Invalidation::Names(removal) => {
                let marks = removal.marks.iter().map(NameRef::mark);
                let cells = removal.keys.iter().map(|key| NameRef::cell(key));
                marks.chain(cells).for_each(|name| queue.ask_name(name));
            }
        }
        let found = (queue.names.len(), queue.patterns.len());
        let too_many = found.0 > self.most_names || found.1 > MOST_PATTERNS;
        let mut is_news = false;
        if too_many {
            queue.ask_all();
            self.escalations.add();
            is_news = !std::mem::replace(&mut queue.escalated, true);
        }
        self.settle(&mut queue);
        // A subscriber is code of others and must not run under the lock.
        drop(queue);
        if is_news {
            tracing::error!(
                target: "cache", names = found.0, patterns = found.1,
                "too many invalidations wait for the store: the whole namespace will be removed"
            );
        }
    }

    /// The number of a command that is about to be sent past the outbox.
    pub(super) fn sending(&self, what: &Invalidation<'_>) -> u64 {
        let is_all = matches!(what, Invalidation::All);
        // Without anything that waits there is nothing to acknowledge, so any number does; but a
        // removal of everything has to be known to what is asked while it is under way.
        if !is_all && !self.is_waiting() {
            return 0;
        }
        let mut queue = self.lock();
        if is_all {
            queue.all_sent = queue.asked;
        }
        queue.asked
    }

    /// The store has acknowledged a command that was sent past the outbox.
    pub(super) fn sent(&self, what: Invalidation<'_>, taken: u64) {
        if !self.is_waiting() {
            return;
        }
        let mut queue = self.lock();
        match what {
            Invalidation::All => queue.acknowledge_all(taken),
            Invalidation::Matching(pattern) => queue.acknowledge_matching(pattern, taken),
            Invalidation::Names(removal) => {
                let marks = removal.marks.iter().map(NameRef::mark);
                let cells = removal.keys.iter().map(|key| NameRef::cell(key));
                marks.chain(cells).for_each(|name| queue.acknowledge_name(name, taken));
            }
        }
        self.settle(&mut queue);
    }

    /// What to send next. After failures the batches become smaller, and marks, cells and patterns
    /// take turns.
    pub(super) fn next(&self, failures: u32) -> Option<Delivery> {
        let mut queue = self.lock();
        let taken = queue.asked;
        let most = (BATCH >> failures.saturating_mul(2).min(9)).max(1);
        let marks: Vec<Name> =
            queue.order.range(..(2, 0)).take(most).map(|(_, name)| name.clone()).collect();
        let mut lanes = Vec::with_capacity(4);
        lanes.extend(queue.all.map(|_| Task::All));
        lanes.extend((!marks.is_empty()).then_some(Task::Names(marks)));
        lanes.extend(queue.cells(most).map(Task::Names));
        lanes.extend(queue.patterns.first().map(|(pattern, _)| Task::Matching(pattern.clone())));
        if lanes.is_empty() {
            return None;
        }
        let lane = failures as usize % lanes.len();
        let task = lanes.swap_remove(lane);
        match &task {
            Task::All => queue.all_sent = taken,
            Task::Names(names) => queue.pass_over(names),
            Task::Matching(_) => queue.patterns.rotate_left(1),
        }
        Some(Delivery { task, taken })
    }

    /// The store has acknowledged a delivery, or can never take it.
    pub(super) fn delivered(&self, delivery: &Delivery) {
        let mut queue = self.lock();
        match &delivery.task {
            Task::All => queue.acknowledge_all(delivery.taken),
            Task::Matching(pattern) => queue.acknowledge_matching(pattern, delivery.taken),
            Task::Names(names) => {
                for name in names {
                    let name = NameRef { kind: name.kind, text: &name.text };
                    queue.acknowledge_name(name, delivery.taken);
                }
            }
        }
        self.settle(&mut queue);
    }

    /// What is hidden from this process now; `None` if nothing is.
    pub(super) fn view(&self) -> Option<View<'_>> {
        self.is_waiting().then(|| View(self.lock()))
    }

    fn settle(&self, queue: &mut Queue) {
        let waiting = queue.names.len() + queue.patterns.len() + usize::from(queue.all.is_some());
        if waiting == 0 {
            queue.escalated = false;
        }
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Whether a removal of everything waits that has not been sent since it was asked for: then
    /// it will be sent after whatever is asked now, and covers it.
    fn all_covers(&self) -> bool {
        self.all.is_some_and(|asked| asked > self.all_sent)
    }

    fn ask_all(&mut self) {
        self.all = Some(self.asked);
        self.names.clear();
        self.order.clear();
        self.patterns.clear();
    }

    fn ask_matching(&mut self, pattern: &Pattern) {
        if self.all_covers() {
            return;
        }
        match self.patterns.iter_mut().find(|(waiting, _)| waiting == pattern) {
            Some((_, asked)) => *asked = self.asked,
            None => self.patterns.push((pattern.clone(), self.asked)),
        }
    }

    fn ask_name(&mut self, name: NameRef<'_>) {
        if self.all_covers() {
            return;
        }
        // Each name has a number of its own, so that their order is kept.
        self.asked += 1;
        let asked = self.asked;
        if let Some(place) = self.names.get_mut(&name) {
            place.asked = asked;
            return;
        }
        let name = name.to_owned();
        let order = (name.rank(), asked);
        self.order.insert(order, name.clone());
        self.names.insert(name, Place { order, asked });
    }

    fn acknowledge_name(&mut self, name: NameRef<'_>, taken: u64) {
        if let Some(place) = self.names.get(&name).copied()
            && place.asked <= taken
        {
            self.names.remove(&name);
            self.order.remove(&place.order);
        }
    }

    fn acknowledge_matching(&mut self, pattern: &Pattern, taken: u64) {
        self.patterns.retain(|(waiting, asked)| waiting != pattern || *asked > taken);
    }

    fn acknowledge_all(&mut self, taken: u64) {
        let order = &mut self.order;
        self.names.retain(|_, place| {
            let stays = place.asked > taken;
            if !stays {
                order.remove(&place.order);
            }
            stays
        });
        self.patterns.retain(|(_, asked)| *asked > taken);
        self.all = self.all.filter(|asked| *asked > taken);
    }

    /// The next batch of cells, beginning where the last one ended.
    fn cells(&self, most: usize) -> Option<Vec<Name>> {
        let from = |start: u64| -> Vec<Name> {
            self.order.range((2, start)..).take(most).map(|(_, name)| name.clone()).collect()
        };
        let ahead = from(self.next_cell);
        let cells = if ahead.is_empty() { from(0) } else { ahead };
        (!cells.is_empty()).then_some(cells)
    }

    fn pass_over(&mut self, names: &[Name]) {
        let Some(last) = names.last().filter(|name| name.kind.is_none()) else { return };
        let Some(place) = self.names.get(&NameRef::cell(&last.text)) else { return };
        self.next_cell = place.order.1 + 1;
    }

    fn hides(&self, name: NameRef<'_>) -> bool {
        self.all.is_some()
            || self.names.contains_key(&name)
            || (name.kind.is_none()
                && self.patterns.iter().any(|(pattern, _)| pattern.matches(name.text)))
    }
}

/// What invalidations that wait hide, at one instant.
pub(super) struct View<'a>(MutexGuard<'a, Queue>);

/// What is hidden of one lookup.
#[derive(Debug)]
pub(super) struct Hidden {
    cell: bool,
    marks: Vec<bool>,
}

impl View<'_> {
    pub(super) fn hides_cell(&self, key: &str) -> bool {
        self.0.hides(NameRef::cell(key))
    }

    pub(super) fn hides_mark(&self, mark: &Mark<'_>) -> bool {
        self.0.hides(NameRef::mark(mark))
    }

    pub(super) fn hidden_marks(&self, marks: &[Mark<'_>]) -> Vec<bool> {
        marks.iter().map(|mark| self.hides_mark(mark)).collect()
    }

    pub(super) fn hidden(&self, lookups: &[Lookup<'_>]) -> Vec<Hidden> {
        let one = |lookup: &Lookup<'_>| Hidden {
            cell: self.hides_cell(lookup.key),
            marks: self.hidden_marks(lookup.marks),
        };
        lookups.iter().map(one).collect()
    }

    /// Why a fill must not be sent: had the removal taken effect when it was asked for, the lease
    /// or the guard would be gone.
    pub(super) fn refuses(&self, fill: &Fill<'_>) -> Option<Refusal> {
        if fill.expected != Expected::Anything && self.hides_cell(fill.key) {
            return Some(Refusal::Cell);
        }
        let guard = fill.guards.iter().any(|(mark, _)| self.hides_mark(mark));
        guard.then_some(Refusal::Guard)
    }
}

/// Takes what is hidden out of answers.
pub(super) fn hide(answers: &mut [Observed], hidden: &[Hidden]) {
    for (answer, hidden) in answers.iter_mut().zip(hidden) {
        if hidden.cell {
            answer.cell = None;
        }
        hide_marks(&mut answer.marks, &hidden.marks);
    }
}

/// The same for marks alone.
pub(super) fn hide_marks(states: &mut [MarkState], hidden: &[bool]) {
    for (state, _) in states.iter_mut().zip(hidden).filter(|(_, hidden)| **hidden) {
        *state = MarkState::Absent;
    }
}
