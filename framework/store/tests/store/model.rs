//! Random commits against a map, with flushes, clears and reopening in between.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use headwater_core::port::{Change, StateStores, StoreRange};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::{prop_assert_eq, proptest};
use tempfile::tempdir;

use crate::support::{at, open, stores};

const STORES: [&str; 2] = ["one", "two"];

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Scan { store: usize, from: Bytes, to: Option<Bytes> },
    GetMany { store: usize, keys: Vec<Bytes> },
    Remove { store: usize, from: Bytes, to: Bytes },
    Flush,
    Clear(usize),
    Reopen,
}

/// 1000 keys of different lengths, so that some are prefixes of others and deletes hit.
fn key() -> impl Strategy<Value = Bytes> {
    (0..1000_u16).prop_map(|number| {
        let digits = number.to_string();
        Bytes::from(if number % 3 == 0 { digits.into_bytes() } else { number.to_be_bytes().to_vec() })
    })
}

fn change() -> impl Strategy<Value = Change> {
    let value = prop::option::weighted(0.7, vec(any::<u8>(), 0..40).prop_map(Bytes::from));
    (0..STORES.len(), key(), value).prop_map(|(store, key, value)| Change { store, key, value })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => vec(change(), 0..100).prop_map(Step::Commit),
        6 => (0..STORES.len(), key(), prop::option::of(key())).prop_map(|(store, from, to)| Step::Scan { store, from, to }),
        6 => (0..STORES.len(), vec(key(), 0..100)).prop_map(|(store, keys)| Step::GetMany { store, keys }),
        3 => (0..STORES.len(), key(), key()).prop_map(|(store, from, to)| Step::Remove { store, from, to }),
        2 => Just(Step::Flush),
        1 => (0..STORES.len()).prop_map(Step::Clear),
        1 => Just(Step::Reopen),
    ]
}

type Entries = Vec<(Bytes, Bytes)>;

fn in_store(task: &dyn StateStores, store: usize, from: &[u8], to: Option<&[u8]>) -> Entries {
    task.scan(store, StoreRange { from, to }).unwrap().map(Result::unwrap).collect()
}

fn in_model(model: &BTreeMap<Bytes, Bytes>, from: &Bytes, to: Option<&Bytes>) -> Entries {
    if to.is_some_and(|to| to < from) {
        return Vec::new();
    }
    let end = to.map_or(Bound::Unbounded, Bound::Excluded);
    let found = model.range::<Bytes, _>((Bound::Included(from), end));
    found.map(|(key, value)| (key.clone(), value.clone())).collect()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 24, failure_persistence: None, ..Default::default() })]
    #[test]
    fn equals_a_map(steps in vec(step(), 1..40)) {
        let root = tempdir().unwrap();
        let stores = stores(root.path());
        let mut task = open(&stores, "t_0", &STORES);
        let mut model = vec![BTreeMap::new(); STORES.len()];
        let mut offsets = vec![None; STORES.len()];
        for (number, step) in (1..).zip(steps) {
            match step {
                Step::Commit(changes) => {
                    task.apply(&changes, &[at(0, number), at(1, -number)]).unwrap();
                    offsets = vec![Some(number), Some(-number)];
                    for Change { store, key, value } in changes {
                        match value {
                            Some(value) => model[store].insert(key, value),
                            None => model[store].remove(&key),
                        };
                    }
                }
                Step::Scan { store, from, to } => {
                    let found = in_store(&*task, store, &from, to.as_deref());
                    prop_assert_eq!(found, in_model(&model[store], &from, to.as_ref()));
                    prop_assert_eq!(task.get(store, &from).unwrap(), model[store].get(&from).cloned());
                }
                Step::GetMany { store, keys } => {
                    let found = task.get_many(store, &keys.iter().map(|key| &key[..]).collect::<Vec<_>>()).unwrap();
                    let expected: Vec<_> = keys.iter().map(|key| model[store].get(key).cloned()).collect();
                    prop_assert_eq!(found, expected);
                }
                Step::Remove { store, from, to } => {
                    task.remove(store, &from, &to).unwrap();
                    model[store].retain(|key, _| *key < from || *key >= to);
                }
                Step::Flush => task.flush().unwrap(),
                Step::Clear(store) => {
                    task.clear(store).unwrap();
                    model[store].clear();
                    offsets[store] = None;
                }
                Step::Reopen => {
                    drop(task);
                    task = open(&stores, "t_0", &STORES);
                }
            }
            for (store, expected) in offsets.iter().enumerate() {
                prop_assert_eq!(task.offset(store).unwrap(), *expected);
            }
        }
        for (store, model) in model.iter().enumerate() {
            prop_assert_eq!(in_store(&*task, store, b"", None), in_model(model, &Bytes::new(), None));
        }
    }
}
