//! What the benchmarks share; the program is `src/bin/table.rs`, how to read it is in `README.md`.

pub mod alloc;
pub mod compile_cost;
pub mod contestants;
pub mod hit_ratio;
pub mod instructions;
pub mod lru;
pub mod memory;
pub mod probe;
pub mod timing;
pub mod workload;
