//! Records that fail: found, given up by their policy exactly once, and nothing else of them kept.

#[path = "letters/chaos.rs"]
mod chaos;
#[path = "letters/future.rs"]
mod future;
#[path = "letters/headers.rs"]
mod headers;
#[path = "letters/refused.rs"]
mod refused;
#[path = "letters/unknown.rs"]
mod unknown;
#[path = "letters/world.rs"]
mod world;
