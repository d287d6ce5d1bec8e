use std::collections::HashMap;

use headwater_core::TopicPartition;
use ledger::{Balance, BranchTotal};

use super::Expected;

/// Differences written out; the rest are counted.
const SHOWN: usize = 25;

/// Holds the results, one after the other, against what is expected.
pub struct Check<'a> {
    expected: &'a Expected,
    accounts: HashMap<String, u64>,
    branches: HashMap<(String, i64), (u64, i64)>,
    results: u64,
    differences: Vec<String>,
    not_shown: u64,
}

impl<'a> Check<'a> {
    /// Nothing seen yet.
    pub fn new(expected: &'a Expected) -> Check<'a> {
        let (accounts, branches) = (HashMap::new(), HashMap::new());
        Check { expected, accounts, branches, results: 0, differences: Vec::new(), not_shown: 0 }
    }

    /// A record of `balances`; those of a partition must come in the order of their offsets.
    pub fn balance(&mut self, place: &TopicPartition, offset: i64, balance: &Balance) {
        self.results += 1;
        let Balance { account, seq, sum } = balance;
        let before = self.accounts.insert(account.clone(), *seq).unwrap_or(0);
        if *seq != before + 1 {
            return self.differs(format!("{place}@{offset}: account {account}: seq {seq} comes after {before}"));
        }
        let wanted = self.expected.accounts.get(account).and_then(|sums| sums.get(*seq as usize - 1));
        if wanted != Some(sum) {
            let wanted = wanted.map_or_else(|| String::from("there is no such transfer"), i64::to_string);
            self.differs(format!("{place}@{offset}: account {account}: sum {sum} at seq {seq}, expected: {wanted}"));
        }
    }

    /// A record of `branches`; those of a partition must come in the order of their offsets.
    pub fn branch(&mut self, place: &TopicPartition, offset: i64, total: &BranchTotal) {
        self.results += 1;
        let key = (total.branch.clone(), total.window_start);
        let before = self.branches.insert(key, (total.seq, total.sum)).map_or(0, |(seq, _)| seq);
        if total.seq != before + 1 {
            let BranchTotal { branch, window_start, seq, .. } = total;
            self.differs(format!("{place}@{offset}: branch {branch} at {window_start}: seq {seq} comes after {before}"));
        }
    }

    /// A record that is no result at all.
    pub fn unreadable(&mut self, place: &TopicPartition, offset: i64, error: &str) {
        self.differs(format!("{place}@{offset}: {error}"));
    }

    /// Results seen.
    pub fn results(&self) -> u64 {
        self.results
    }

    /// Compares the last values. Answers everything that differs, in words.
    pub fn finish(mut self) -> Vec<String> {
        for (account, sums) in &self.expected.accounts {
            let (had, wanted) = (self.accounts.get(account).copied().unwrap_or(0), sums.len() as u64);
            if had != wanted {
                self.differs(format!("account {account}: ends with seq {had}, expected: {wanted}"));
            }
        }
        let branches = std::mem::take(&mut self.branches);
        for (key, wanted) in &self.expected.branches {
            let had = branches.get(key).copied().unwrap_or_default();
            if had != *wanted {
                let ((branch, start), (seq, sum)) = (key, had);
                let (count, total) = wanted;
                self.differs(format!(
                    "branch {branch} at {start}: ends with seq {seq} and sum {sum}, expected: {count} and {total}"
                ));
            }
        }
        for (branch, start) in branches.keys().filter(|key| !self.expected.branches.contains_key(key)) {
            self.differs(format!("branch {branch} at {start}: no transfer is in time for it"));
        }
        if self.not_shown > 0 {
            self.differences.push(format!("and {} more differences", self.not_shown));
        }
        self.differences
    }

    fn differs(&mut self, what: String) {
        if self.differences.len() < SHOWN {
            self.differences.push(what);
        } else {
            self.not_shown += 1;
        }
    }
}
