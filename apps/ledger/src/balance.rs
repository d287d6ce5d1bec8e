//! `balances`: what each account has, one record per transfer.

use headwater::{At, Reduce};
use serde::{Deserialize, Serialize};

use crate::transfer::Transfer;

/// An account after one of its transfers. `seq` counts the account's transfers from 1: read committed and in order, it shows
/// every number once, or an effect was lost or repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account.
    pub account: String,
    /// How many transfers it has had, this one included.
    pub seq: u64,
    /// What they add up to.
    pub sum: i64,
}

/// What is kept per account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    seq: u64,
    sum: i64,
}

/// Folds an account's transfers into its balance.
#[derive(Debug)]
pub struct Balances;

impl Reduce for Balances {
    type Key = String;
    type Event = Transfer;
    type State = Account;
    type Out = Balance;

    fn reduce(account: &mut Account, transfer: &Transfer, at: &At<'_, String>) -> Option<Balance> {
        account.seq += 1;
        account.sum += transfer.amount;
        Some(Balance { account: at.key().clone(), seq: account.seq, sum: account.sum })
    }
}
