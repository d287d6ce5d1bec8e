mod admin;
mod assignor;
mod clock;
mod compaction;
mod direct;
mod fault;
mod group;
mod handle;
mod member;
mod membership;
mod offsets;
mod partition;
mod producer;
mod reader;
mod refusal;
mod sessions;
mod state;
#[cfg(test)]
mod tests;
mod topics;
mod transactions;
mod truncation;

pub use clock::Timeouts;
pub use compaction::Tombstones;
pub use fault::{Call, Fault};
pub use handle::MemoryLog;
pub use member::GroupMember;
