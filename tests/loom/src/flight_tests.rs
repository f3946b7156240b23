//! What must hold of the flight table whatever the order of steps.

use std::pin::Pin;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::flight::{Boarding, Ending, Flight, Flights, Landing};
use crate::sync::Arc;

const KEY: &str = "key";

type Table = Arc<Flights<usize>>;

fn table() -> Table {
    Arc::new(Flights::new())
}

fn lead(table: &Table, id: u64) -> Arc<Flight<usize>> {
    match table.board(KEY, id, table.comes(), |_| true) {
        Boarding::Lead(flight) => flight,
        _ => panic!("nobody else boards here"),
    }
}

/// A leader's last steps, in the order in which the cache takes them.
fn land(table: &Table, flight: &Flight<usize>, ending: Ending<usize>) {
    flight.begin_fill();
    table.remove(KEY, flight);
    flight.end(ending);
}

fn polled_once(landing: &mut Landing<usize>) -> bool {
    Pin::new(landing).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// A leader with so many waiters; a waiter that nobody wakes is a deadlock, which loom reports.
fn leader_and_waiters(waiters: u64, abandoned: bool) {
    let table = table();
    let flight = lead(&table, 0);
    let waiters: Vec<_> = (1..=waiters)
        .map(|id| {
            let table = Arc::clone(&table);
            thread::spawn(move || match table.board(KEY, id, table.comes(), |_| true) {
                Boarding::Join(landing) | Boarding::Wait(landing) => {
                    block_on(landing);
                }
                Boarding::Lead(flight) => land(&table, &flight, Ending::Failed),
                Boarding::Queue { .. } => unreachable!("this load is stored"),
            })
        })
        .collect();
    flight.begin_load();
    if abandoned {
        // A leader that is dropped asks the store for nothing.
        table.remove(KEY, &flight);
        flight.end(Ending::Abandoned);
    } else {
        land(&table, &flight, Ending::Landed { value: 1, exact: true });
    }
    waiters.into_iter().for_each(|waiter| waiter.join().expect("no panic"));
}

#[test]
fn a_waiter_learns_every_end() {
    for abandoned in [false, true] {
        loom::model(move || leader_and_waiters(1, abandoned));
    }
}

/// With up to two threads stopped at arbitrary places; all interleavings would take hours.
#[test]
fn several_waiters_learn_the_end() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| leader_and_waiters(2, false));
}

#[test]
fn a_waiter_that_is_dropped_takes_nobodys_wake_up() {
    loom::model(|| {
        let table = table();
        let flight = lead(&table, 0);
        let (mut dropped, kept) = (flight.watch(), flight.watch());
        let impatient = thread::spawn(move || {
            polled_once(&mut dropped);
            drop(dropped);
        });
        let patient = thread::spawn(move || block_on(kept));
        land(&table, &flight, Ending::Landed { value: 7, exact: false });
        assert!(matches!(patient.join().expect("no panic"), Ending::Landed { value: 7, .. }));
        impatient.join().expect("no panic");
    });
}

#[test]
fn a_waiter_that_moves_to_another_task_is_woken_there() {
    loom::model(|| {
        let table = table();
        let flight = lead(&table, 0);
        let mut moved = flight.watch();
        // Its first waker belongs to a task that is gone.
        polled_once(&mut moved);
        let waiter = thread::spawn(move || block_on(moved));
        flight.end(Ending::Failed);
        assert!(matches!(waiter.join().expect("no panic"), Ending::Failed));
    });
}

#[test]
fn a_key_has_one_leader_at_a_time() {
    loom::model(|| {
        let table = table();
        let leaders = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..3)
            .map(|id| {
                let (table, leaders) = (Arc::clone(&table), Arc::clone(&leaders));
                thread::spawn(move || {
                    if let Boarding::Lead(flight) = table.board(KEY, id, table.comes(), |_| true) {
                        assert_eq!(
                            leaders.fetch_add(1, Ordering::SeqCst),
                            0,
                            "two leaders at once"
                        );
                        leaders.fetch_sub(1, Ordering::SeqCst);
                        land(&table, &flight, Ending::Failed);
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
        assert!(!table.is_flying(KEY));
    });
}

#[test]
fn the_end_of_a_replaced_flight_leaves_its_successor_on_the_table() {
    loom::model(|| {
        let table = table();
        let old = lead(&table, 0);
        let successor = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let new = table.lead(KEY, 1);
                assert!(table.is_flying(KEY));
                new
            })
        };
        land(&table, &old, Ending::Abandoned);
        let new = successor.join().expect("no panic");
        assert!(table.is_flying(KEY));
        table.remove(KEY, &new);
        assert!(!table.is_flying(KEY));
    });
}

#[test]
fn a_flight_that_is_not_worth_joining_is_replaced_by_one_leader() {
    loom::model(|| {
        let table = table();
        let refused = lead(&table, 0);
        let boards: Vec<_> = (1..3)
            .map(|id| {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    match table.board(KEY, id, table.comes(), |flight| flight.id != 0) {
                        Boarding::Lead(flight) => Some(flight),
                        Boarding::Join(landing) | Boarding::Wait(landing) => {
                            assert_ne!(landing.flight().id, 0);
                            None
                        }
                        Boarding::Queue { .. } => unreachable!("this load is stored"),
                    }
                })
            })
            .collect();
        let leaders: Vec<_> =
            boards.into_iter().filter_map(|board| board.join().expect("no panic")).collect();
        assert_eq!(leaders.len(), 1);
        land(&table, &refused, Ending::Failed);
        assert!(table.is_flying(KEY));
    });
}

/// Those who come during a load that stores nothing share the one that follows it: somebody leads
/// that, nobody is forgotten, and only who joined before it began may take its result.
#[test]
fn whoever_comes_during_a_load_that_stores_nothing_shares_the_next() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let table = table();
        let present = lead(&table, 0);
        present.store_nothing();
        present.begin_load();
        let callers: Vec<_> = (1..3)
            .map(|id| {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    let lead = |flight: Arc<Flight<usize>>| {
                        flight.begin_load();
                        land(&table, &flight, Ending::Landed { value: 1, exact: false });
                    };
                    match table.board(KEY, id, table.comes(), |_| true) {
                        Boarding::Lead(flight) => lead(flight),
                        Boarding::Join(landing) | Boarding::Wait(landing) => {
                            block_on(landing);
                        }
                        Boarding::Queue { present, next } => {
                            block_on(present);
                            if next.flight().take_lead() {
                                lead(Arc::clone(next.flight()));
                            } else {
                                assert!(next.may_take(false));
                                block_on(next);
                            }
                        }
                    }
                })
            })
            .collect();
        land(&table, &present, Ending::Failed);
        callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
        assert!(!table.is_flying(KEY));
    });
}

/// The rest of the protocol, as far as rule J depends on it: the data, the lease that an
/// invalidation takes away, and the version whose invalidation was acknowledged.
#[derive(Default)]
struct World {
    data: AtomicUsize,
    lease: AtomicBool,
    acknowledged: AtomicUsize,
}

impl World {
    fn write(&self) {
        self.data.store(1, Ordering::SeqCst);
        self.lease.store(false, Ordering::SeqCst);
        self.acknowledged.store(1, Ordering::SeqCst);
    }

    fn load(&self, table: &Table, flight: &Flight<usize>) -> usize {
        flight.begin_load();
        let value = self.data.load(Ordering::SeqCst);
        flight.begin_fill();
        // FILL: stored if the lease still is there, and said so.
        let exact = self.lease.swap(false, Ordering::SeqCst);
        table.remove(KEY, flight);
        flight.end(Ending::Landed { value, exact });
        value
    }

    fn read(&self, table: &Table, id: u64) {
        let floor = self.acknowledged.load(Ordering::SeqCst);
        let landing = match table.board(KEY, id, table.comes(), |_| true) {
            Boarding::Join(landing) => landing,
            // Too late for that flight, or it is over: this caller loads for itself.
            Boarding::Wait(_) | Boarding::Queue { .. } => return,
            Boarding::Lead(flight) => {
                table.remove(KEY, &flight);
                return flight.end(Ending::Abandoned);
            }
        };
        // Whether it may take the value is decided by the landing alone.
        let rights = [landing.may_take(false), landing.may_take(true)];
        if let Ending::Landed { value, exact } = block_on(landing)
            && rights[usize::from(exact)]
        {
            assert!(
                value >= floor,
                "a joined reader got a value older than what it knew acknowledged"
            );
        }
    }
}

#[test]
fn a_joined_reader_never_takes_what_was_invalidated_before_it_began() {
    // Without a bound it took more than six minutes.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (table, world) = (table(), Arc::new(World::default()));
        world.lease.store(true, Ordering::SeqCst);
        let flight = lead(&table, 0);
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.write())
        };
        let reader = {
            let (world, table) = (Arc::clone(&world), Arc::clone(&table));
            thread::spawn(move || world.read(&table, 1))
        };
        world.load(&table, &flight);
        writer.join().expect("no panic");
        reader.join().expect("no panic");
    });
}

#[test]
fn nobody_joins_once_the_store_was_asked() {
    loom::model(|| {
        let table = table();
        let flight = lead(&table, 0);
        let filling = Arc::new(AtomicBool::new(false));
        let late = {
            let (table, filling) = (Arc::clone(&table), Arc::clone(&filling));
            thread::spawn(move || {
                let was_filling = filling.load(Ordering::SeqCst);
                if let Boarding::Join(_) = table.board(KEY, 1, table.comes(), |_| true) {
                    assert!(!was_filling, "joined after the fill had begun");
                }
            })
        };
        flight.begin_load();
        flight.begin_fill();
        filling.store(true, Ordering::SeqCst);
        table.remove(KEY, &flight);
        flight.end(Ending::Landed { value: 0, exact: true });
        assert!(flight.join(table.comes()).is_none(), "joined after the end");
        late.join().expect("no panic");
    });
}
