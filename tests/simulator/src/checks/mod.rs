//! What must hold at every moment.

mod ledger;
mod stores;
mod turns;

pub use ledger::Ledger;
pub use stores::{History, difference, leftovers};
pub use turns::Turns;
