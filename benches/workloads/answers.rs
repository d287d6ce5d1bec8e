use std::collections::HashMap;

use crate::model::{Mapped, Total};
use crate::{Data, Workload, key_of};

/// Which record of the input a result answers: for workloads with one result for each record that counts.
pub struct Answers {
    workload: Workload,
    /// By account: its records, in the order in which they were written.
    records: HashMap<String, Vec<u64>>,
}

impl Answers {
    /// Those that can be told apart. [`Workload::W1`]'s results have the record's number, [`Workload::W2`]'s say the how manieth of its account it is.
    pub const WORKLOADS: [Workload; 2] = [Workload::W1, Workload::W2];

    /// None for any other workload.
    pub fn of(workload: Workload, data: &Data) -> Option<Answers> {
        let mut records: HashMap<String, Vec<u64>> = HashMap::new();
        match workload {
            Workload::W1 => {}
            Workload::W2 => (0..data.records).for_each(|i| records.entry(key_of(data.account(i))).or_default().push(i)),
            _ => return None,
        }
        Some(Answers { workload, records })
    }

    /// The record's number; none if the result is no answer to any.
    pub fn record_of(&self, value: &[u8]) -> Option<u64> {
        if self.workload == Workload::W1 {
            return Some(serde_json::from_slice::<Mapped>(value).ok()?.id);
        }
        let Total { account, count, .. } = serde_json::from_slice(value).ok()?;
        let number = usize::try_from(count.checked_sub(1)?).ok()?;
        self.records.get(&account)?.get(number).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Sum};

    const DATA: Data = Data { records: 300, keys: 7, skew: 0.0 };

    #[test]
    fn an_update_of_a_sum_answers_the_record_that_led_to_it() {
        let answers = Answers::of(Workload::W2, &DATA).expect("it can be told");
        let mut sums = [Sum::default(); DATA.keys as usize];
        for i in 0..DATA.records {
            let sum = &mut sums[DATA.account(i) as usize];
            *sum = sum.plus(DATA.amount(i));
            let total = Total { account: key_of(DATA.account(i)), count: sum.count, sum: sum.sum };
            let value = serde_json::to_vec(&total).expect("it can be written");
            assert_eq!(answers.record_of(&value), Some(i));
        }
        assert_eq!(answers.record_of(br#"{"account":"acc-00000001","count":0,"sum":0}"#), None);
        assert_eq!(answers.record_of(br#"{"account":"acc-00000001","count":301,"sum":0}"#), None);
        assert_eq!(answers.record_of(b"no JSON"), None);
    }

    #[test]
    fn a_mapped_record_says_which_it_was() {
        let answers = Answers::of(Workload::W1, &DATA).expect("it can be told");
        let mapped = Mapped { id: 17, account: key_of(3), cents: 1, ts: 0, kind: Kind::Small };
        assert_eq!(answers.record_of(&serde_json::to_vec(&mapped).expect("it can be written")), Some(17));
        assert!(Answers::of(Workload::W3, &DATA).is_none());
    }
}
