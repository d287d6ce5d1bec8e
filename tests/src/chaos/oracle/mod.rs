//! What the outputs must be, by a plain fold of the input, and the comparison with what they are.

mod check;
mod expected;
#[cfg(test)]
mod tests;

use headwater_core::port::{Log, LogError};
use headwater_core::{Codec, Json};
use ledger::{BALANCES, BRANCHES, TRANSFERS, Transfer};

pub use check::Check;
pub use expected::Expected;

use super::scan::scan;

/// Reads the three topics, read committed, and compares.
///
/// # Errors
/// A topic cannot be read to its end.
pub fn judge(log: &dyn Log) -> Result<Verdict, LogError> {
    let mut expected = Expected::default();
    scan(
        log,
        TRANSFERS,
        &mut |place, record| match <Json as Codec<Transfer>>::decode(record.value.as_deref().unwrap_or_default()) {
            Ok(transfer) => expected.add(place.partition, record.timestamp, &transfer),
            Err(error) => panic!("{place}@{}: the generator wrote no transfer: {error}", record.offset),
        },
    )?;
    let mut check = Check::new(&expected);
    scan(log, BALANCES, &mut |place, record| match decoded(&record.value) {
        Ok(balance) => check.balance(place, record.offset, &balance),
        Err(error) => check.unreadable(place, record.offset, &error),
    })?;
    scan(log, BRANCHES, &mut |place, record| match decoded(&record.value) {
        Ok(total) => check.branch(place, record.offset, &total),
        Err(error) => check.unreadable(place, record.offset, &error),
    })?;
    let results = check.results();
    let (transfers, late, keys) = (expected.transfers(), expected.late(), expected.keys());
    Ok(Verdict { transfers, late, keys, results, differences: check.finish() })
}

fn decoded<T>(value: &Option<bytes::Bytes>) -> Result<T, String>
where
    Json: Codec<T>,
{
    <Json as Codec<T>>::decode(value.as_deref().unwrap_or_default()).map_err(|error| error.to_string())
}

/// The result of a comparison.
#[derive(Debug)]
pub struct Verdict {
    /// Transfers in the input.
    pub transfers: u64,
    /// How many of them are too late for their branch's minute.
    pub late: u64,
    /// Accounts that had any.
    pub keys: u64,
    /// Results in the outputs.
    pub results: u64,
    /// What is not as it must be; empty is success.
    pub differences: Vec<String>,
}
