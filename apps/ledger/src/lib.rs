//! An application made for load and for proofs: transfers between accounts, and two results in which any lost, repeated or torn effect
//! can be seen from outside, by reading committed records.
//!
//! - [`topology`]: what runs;
//! - [`Transfer`]: the input's records;
//! - [`Balance`], [`BranchTotal`]: the outputs' records, each beside the fold that makes it;
//! - [`Transfers`]: the input of a seed, the same every time;
//! - [`load`]: writes it into a log, at a rate;
//! - [`generate`]: the subcommand that does so.

#![warn(missing_docs)]

mod balance;
mod branch;
pub mod generate;
pub mod load;
mod random;
mod topology;
mod transfer;
mod transfers;

pub use balance::{Account, Balance, Balances};
pub use branch::{BranchTotal, BranchTotals, BranchWindow};
pub use random::Random;
pub use topology::{BALANCES, BRANCHES, NAME, OUT_OF_ORDER, TRANSFERS, WINDOWS, topology};
pub use transfer::Transfer;
pub use transfers::Transfers;
