//! What lies in a store outside the process: the document, the bytes, the fingerprints of types,
//! and what becomes of bytes that are damaged, foreign or hostile.

#[path = "wire_format/codecs.rs"]
mod codecs;
#[path = "wire_format/damage.rs"]
mod damage;
#[path = "wire_format/document.rs"]
mod document;
#[path = "wire_format/entries.rs"]
mod entries;
#[path = "wire_format/golden.rs"]
mod golden;
#[path = "wire_format/hostile.rs"]
mod hostile;
#[path = "wire_format/schema_buffered.rs"]
mod schema_buffered;
#[path = "wire_format/schema_changes.rs"]
mod schema_changes;
#[path = "wire_format/schema_zoo.rs"]
mod schema_zoo;
