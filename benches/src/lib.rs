//! What the benchmarks consist of; the program is `src/bin/table.rs`, how to read what it writes is
//! in `README.md`.

pub mod table;
pub mod targets;

pub mod compile_cost;
pub mod hit_ratio;
pub mod memory;
pub mod rounds;

pub mod contestants;
pub mod instructions;
pub mod probe;

#[cfg(feature = "redis")]
pub mod redis;

pub mod alloc;
pub mod lru;
pub mod timing;
pub mod workload;
