//! What runs: one input, two outputs.

use std::time::Duration;

use headwater::{Topology, Tumbling, minutes, seconds};

use crate::balance::Balances;
use crate::branch::BranchTotals;
use crate::transfer::Transfer;

/// The application's name.
pub const NAME: &str = "ledger";
/// The input: [`Transfer`]s by account.
pub const TRANSFERS: &str = "transfers";
/// The output of [`Balance`](crate::Balance)s by account.
pub const BALANCES: &str = "balances";
/// The output of [`BranchTotal`](crate::BranchTotal)s by branch and minute.
pub const BRANCHES: &str = "branches";
/// How far behind the newest transfer of its partition one may come without being late.
pub const OUT_OF_ORDER: Duration = seconds(5);
/// The minutes of a branch.
pub const WINDOWS: Tumbling = Tumbling::of(minutes(1)).grace(seconds(30));

/// Describes the application.
pub fn topology(t: &mut Topology) {
    let transfers = t.input::<String, Transfer>(TRANSFERS).out_of_order(OUT_OF_ORDER);
    transfers.reduce::<Balances>("accounts").to(BALANCES);
    transfers
        .rekey("by-branch", |transfer| transfer.branch().to_owned())
        .window(WINDOWS)
        .reduce::<BranchTotals>("branch-minutes")
        .to(BRANCHES);
}

#[cfg(test)]
#[path = "topology/tests.rs"]
mod tests;
