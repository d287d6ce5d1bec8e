//! `branches`: what moved at each branch in each minute of event time.

use headwater::{At, Reduce};
use serde::{Deserialize, Serialize};

use crate::transfer::Transfer;

/// A branch's minute after one of its transfers. The order in which the transfers of several accounts meet is nobody's promise, so `sum`
/// in between is any order's; `seq` shows every number once all the same, and the last record is the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchTotal {
    /// The branch.
    pub branch: String,
    /// Start of the minute, in milliseconds since 1970.
    pub window_start: i64,
    /// How many transfers it has had in this minute, this one included.
    pub seq: u64,
    /// What they add up to.
    pub sum: i64,
}

/// What is kept per branch and minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchWindow {
    seq: u64,
    sum: i64,
}

/// Folds a branch's transfers into its minutes.
#[derive(Debug)]
pub struct BranchTotals;

impl Reduce for BranchTotals {
    type Key = String;
    type Event = Transfer;
    type State = BranchWindow;
    type Out = BranchTotal;

    fn reduce(window: &mut BranchWindow, transfer: &Transfer, at: &At<'_, String>) -> Option<BranchTotal> {
        window.seq += 1;
        window.sum += transfer.amount;
        let window_start = at.window()?.start().as_millis();
        Some(BranchTotal { branch: at.key().clone(), window_start, seq: window.seq, sum: window.sum })
    }
}
