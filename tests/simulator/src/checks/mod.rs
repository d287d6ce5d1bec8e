//! What must hold at every moment.

mod ledger;
mod stores;

pub use ledger::Ledger;
pub use stores::{History, difference, leftovers};
