use std::collections::HashMap;

use headwater_core::Timestamp;
use ledger::{OUT_OF_ORDER, Transfer, WINDOWS};

/// The plain fold: no state store, no window operator, nothing of the framework but its definition of late.
#[derive(Debug, Default)]
pub struct Expected {
    /// Per account: its sum after each of its transfers.
    pub(super) accounts: HashMap<String, Vec<i64>>,
    /// Per branch and start of the minute: number and sum of its transfers.
    pub(super) branches: HashMap<(String, i64), (u64, i64)>,
    newest: HashMap<i32, Timestamp>,
    transfers: u64,
    late: u64,
}

impl Expected {
    /// Folds in one transfer; those of a partition must come in the order of their offsets.
    pub fn add(&mut self, partition: i32, at: Timestamp, transfer: &Transfer) {
        self.transfers += 1;
        let sums = self.accounts.entry(transfer.account.clone()).or_default();
        sums.push(sums.last().copied().unwrap_or(0) + transfer.amount);

        // Late is judged by what the transfer's own partition had seen, itself included.
        let newest = self.newest.entry(partition).or_insert(at);
        *newest = at.max(*newest);
        let window = WINDOWS.window_of(at);
        if *newest - OUT_OF_ORDER >= WINDOWS.closes_at(window) {
            self.late += 1;
            return;
        }
        let key = (transfer.branch().to_owned(), window.start().as_millis());
        let (count, sum) = self.branches.entry(key).or_default();
        (*count, *sum) = (*count + 1, *sum + transfer.amount);
    }

    /// Transfers folded in.
    pub fn transfers(&self) -> u64 {
        self.transfers
    }

    /// Those too late for their minute.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Accounts that had any.
    pub fn keys(&self) -> u64 {
        self.accounts.len() as u64
    }
}
