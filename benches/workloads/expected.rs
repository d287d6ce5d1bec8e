use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::de::DeserializeOwned;

use crate::model::{Counted, Joined, Kind, Mapped, Sum, Total, WindowTotal};
use crate::{Data, WINDOW, Workload, key_of, region_of, tier_of};

/// What the results must be, and what has been seen of them.
pub struct Expected {
    workload: Workload,
    data: Data,
    /// By key and window.
    groups: HashMap<(u64, i64), Group>,
    /// Numbers of the records of which there was a result, a bit each; used where there is one result for a record.
    seen: Vec<u64>,
    /// How many results there must be.
    results: u64,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// What there must be in the end.
    last: Sum,
    /// The newest update, or all records' results together.
    seen: Sum,
}

/// What is wrong with the results.
#[derive(Clone, Debug, Default)]
struct Faults {
    read: u64,
    /// Updates that do not follow the one before: lost, repeated or out of order.
    gaps: u64,
    /// A second result of the same record.
    repeated: u64,
    /// Results that are not what their record leads to.
    wrong: u64,
    /// What the first wrong one was.
    example: Option<String>,
}

impl Expected {
    /// Computed from the records' numbers, without looking at any topic.
    pub fn of(workload: Workload, data: &Data) -> Expected {
        let mut expected = Expected {
            workload,
            data: *data,
            groups: HashMap::new(),
            seen: vec![0; data.records as usize / 64 + 1],
            results: 0,
            faults: Faults::default(),
        };
        for i in 0..data.records {
            if workload == Workload::W1 && data.amount(i).is_multiple_of(10) {
                continue;
            }
            expected.results += 1;
            let amount = if workload == Workload::W7 { 0 } else { data.amount(i) };
            let group = expected.groups.entry(expected.group_of(i)).or_default();
            group.last = group.last.plus(amount);
        }
        expected
    }

    /// How many results there must be.
    pub fn results(&self) -> u64 {
        self.results
    }

    fn group_of(&self, i: u64) -> (u64, i64) {
        let size = WINDOW.as_millis() as i64;
        match self.workload {
            Workload::W3 => (self.data.account(i), self.data.timestamp(i) / size * size),
            Workload::W7 => (number_of_memo(&self.data.memo(i)).unwrap_or_default(), 0),
            _ => (self.data.account(i), 0),
        }
    }

    /// Compares one result.
    pub fn see(&mut self, key: &[u8], value: &[u8]) {
        self.faults.read += 1;
        let right = match self.workload {
            Workload::W1 => read::<Mapped>(value).and_then(|mapped| self.see_mapped(key, &mapped)),
            Workload::W4 => read::<Joined>(value).and_then(|joined| self.see_joined(key, &joined)),
            Workload::W2 | Workload::W5 | Workload::W6 => read::<Total>(value).and_then(|Total { account, count, sum }| {
                self.see_update(key, &account, (number_of(&account)?, 0), Sum { count, sum })
            }),
            Workload::W3 => read::<WindowTotal>(value).and_then(|WindowTotal { account, window, count, sum }| {
                self.see_update(key, &account, (number_of(&account)?, window), Sum { count, sum })
            }),
            Workload::W7 => read::<Counted>(value).and_then(|Counted { memo, count }| {
                self.see_update(key, &memo, (number_of_memo(&memo)?, 0), Sum { count, sum: 0 })
            }),
        };
        if right.is_none() {
            self.faults.wrong += 1;
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            self.faults.example.get_or_insert_with(|| format!("{key}: {value}"));
        }
    }

    /// None if it is not what the record of that number leads to.
    fn see_mapped(&mut self, key: &[u8], mapped: &Mapped) -> Option<()> {
        let (amount, kind) = (self.data.amount(mapped.id), Kind::of(self.data.amount(mapped.id)));
        let is_right = !amount.is_multiple_of(10) && mapped.cents == amount * 100 && mapped.kind == kind;
        self.see_record(key, mapped.id, &mapped.account, mapped.ts, is_right)
    }

    fn see_joined(&mut self, key: &[u8], joined: &Joined) -> Option<()> {
        let account = self.data.account(joined.id);
        let is_right = joined.amount == self.data.amount(joined.id)
            && joined.tier == tier_of(account)
            && joined.region == region_of(account);
        self.see_record(key, joined.id, &joined.account, joined.ts, is_right)
    }

    fn see_record(&mut self, key: &[u8], id: u64, account: &str, ts: i64, is_right: bool) -> Option<()> {
        let is_known = id < self.data.records && account == key_of(self.data.account(id)) && ts == self.data.timestamp(id);
        if !is_right || !is_known || key != account.as_bytes() {
            return None;
        }
        let (word, bit) = ((id / 64) as usize, 1 << (id % 64));
        if self.seen[word] & bit != 0 {
            self.faults.repeated += 1;
        }
        self.seen[word] |= bit;
        let group = self.groups.get_mut(&self.group_of(id))?;
        group.seen = group.seen.plus(self.data.amount(id));
        Some(())
    }

    /// None if there is no such group, or the result is under another key. A windowed key has its window behind it.
    fn see_update(&mut self, key: &[u8], name: &str, group: (u64, i64), sum: Sum) -> Option<()> {
        let Entry::Occupied(mut entry) = self.groups.entry(group) else { return None };
        let group = entry.get_mut();
        if sum.count != group.seen.count + 1 {
            self.faults.gaps += 1;
        }
        group.seen = sum;
        key.starts_with(name.as_bytes()).then_some(())
    }

    /// To be asked once all results were seen.
    ///
    /// # Errors
    /// What is wrong, in words, if not everything is as it must be.
    pub fn verdict(&self) -> Result<(), String> {
        let differing = self.groups.values().filter(|group| group.last != group.seen).count();
        let Faults { read, gaps, repeated, wrong, example } = &self.faults;
        if (differing, *read, *gaps, *repeated, *wrong) == (0, self.results, 0, 0, 0) {
            return Ok(());
        }
        let example = example.as_deref().map(|example| format!(", the first of them {example}")).unwrap_or_default();
        Err(format!(
            "{read} results instead of {}; {differing} of {} groups with a wrong end; {gaps} gaps or repeated updates, {repeated} repeated \
             results, {wrong} wrong ones{example}",
            self.results,
            self.groups.len()
        ))
    }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}

fn number_of(account: &str) -> Option<u64> {
    account.strip_prefix("acc-")?.parse().ok()
}

fn number_of_memo(memo: &str) -> Option<u64> {
    u64::from_str_radix(memo, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: Data = Data { records: 500, keys: 20, skew: 0.0 };

    /// The results of the keyed sum, as they must be.
    fn totals() -> Vec<(String, String)> {
        let mut sums = vec![Sum::default(); DATA.keys as usize];
        let update = |i: u64| {
            let account = DATA.account(i);
            let sum = &mut sums[account as usize];
            *sum = sum.plus(DATA.amount(i));
            let total = Total { account: key_of(account), count: sum.count, sum: sum.sum };
            (total.account.clone(), serde_json::to_string(&total).expect("it can be written"))
        };
        (0..DATA.records).map(update).collect()
    }

    fn joins() -> Vec<(String, String)> {
        let join = |i: u64| {
            let (account, tier) = (DATA.account(i), tier_of(DATA.account(i)).to_owned());
            let (amount, ts, region) = (DATA.amount(i), DATA.timestamp(i), region_of(account));
            let joined = Joined { id: i, account: key_of(account), amount, ts, tier, region };
            (joined.account.clone(), serde_json::to_string(&joined).expect("it can be written"))
        };
        (0..DATA.records).map(join).collect()
    }

    /// The verdict contains these words; nothing is wrong if there are none.
    fn check(workload: Workload, results: &[(String, String)], says: &[&str]) {
        let mut expected = Expected::of(workload, &DATA);
        results.iter().for_each(|(key, value)| expected.see(key.as_bytes(), value.as_bytes()));
        match expected.verdict() {
            Ok(()) => assert!(says.is_empty(), "nothing is wrong, and {says:?} should be"),
            Err(verdict) => assert!(!says.is_empty() && says.iter().all(|word| verdict.contains(word)), "{verdict}"),
        }
    }

    #[test]
    fn right_results_are_right() {
        check(Workload::W2, &totals(), &[]);
        check(Workload::W6, &totals(), &[]);
        check(Workload::W4, &joins(), &[]);
    }

    #[test]
    fn a_lost_update_is_found() {
        let mut results = totals();
        results.remove(250);
        check(Workload::W2, &results, &["499 results instead of 500", "1 gaps"]);
        results = totals();
        results.pop();
        check(Workload::W2, &results, &["499 results instead of 500", "1 of 20 groups with a wrong end", "0 gaps"]);
    }

    #[test]
    fn a_repeated_result_is_found() {
        let mut results = totals();
        results.insert(250, results[249].clone());
        check(Workload::W2, &results, &["501 results instead of 500", "1 gaps"]);
        results = joins();
        results.push(results[0].clone());
        check(Workload::W4, &results, &["501 results", "1 of 20 groups", "1 repeated results"]);
    }

    #[test]
    fn a_wrong_result_is_found() {
        let mut results = joins();
        results[7].1 = results[7].1.replace("\"tier\":\"", "\"tier\":\"x");
        check(Workload::W4, &results, &["1 wrong ones, the first of them acc-", "1 of 20 groups"]);
        results = totals();
        results[499].1 = results[499].1.replace("\"sum\":", "\"sum\":9");
        check(Workload::W2, &results, &["1 of 20 groups with a wrong end"]);
        results[499] = ("acc-00000000".to_owned(), "no JSON".to_owned());
        check(Workload::W2, &results, &["1 wrong ones, the first of them acc-00000000: no JSON"]);
    }
}
