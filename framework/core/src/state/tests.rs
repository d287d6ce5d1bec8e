use std::cell::Cell;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::port::ScanItem;

/// A committed store in memory.
#[derive(Default)]
struct Disk {
    entries: BTreeMap<Vec<u8>, Bytes>,
    checkpoint: Option<Checkpoint>,
    lent: Rc<Cell<usize>>,
}

impl StateStores for Disk {
    fn get(&self, _: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.entries.get(key).cloned())
    }

    fn scan<'a>(&'a self, _: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        let (from, to) = (range.from.to_vec(), range.to.map(<[u8]>::to_vec));
        let within = move |key: &&Vec<u8>| **key >= from && to.as_ref().is_none_or(|to| *key < to);
        let keys = self.entries.keys().filter(within);
        Ok(Box::new(keys.map(|key| Ok((Bytes::copy_from_slice(key), self.entries[key].clone())))))
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        for Change { key, value, .. } in changes {
            match value {
                Some(value) => drop(self.entries.insert(key.to_vec(), value.clone())),
                None => drop(self.entries.remove(key.as_ref())),
            }
        }
        self.checkpoint = reached.first().map(|(_, checkpoint)| *checkpoint).or(self.checkpoint);
        Ok(())
    }

    fn checkpoint(&self, _: usize) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.checkpoint)
    }

    fn lend(&mut self, bytes: usize) {
        self.lent.set(bytes);
    }

    fn clear(&mut self, _: usize) -> Result<(), StoreError> {
        self.entries.clear();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Act {
    /// A step that writes, and whether it succeeds.
    Step(Vec<(u8, Option<u8>)>, bool),
    /// All entries before a key expire.
    Expire(u8),
    /// A commit begins, or the one under way ends.
    Commit,
    /// The commit under way applies so many changes, if it has as many.
    Land(usize),
    /// Everything begins again at the last commit.
    Fail,
    /// A checkpoint is stored, with nothing else.
    Touch,
    /// The store looks up what it has for some keys, and it is the turn of one of them.
    LookAhead(Vec<u8>, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let writes = prop::collection::vec((0u8..12, prop::option::of(any::<u8>())), 0..5);
    prop_oneof![
        6 => (writes, prop::bool::weighted(0.8)).prop_map(|(writes, is_kept)| Act::Step(writes, is_kept)),
        2 => (0u8..13).prop_map(Act::Expire),
        3 => Just(Act::Commit),
        2 => (0usize..4).prop_map(Act::Land),
        1 => Just(Act::Fail),
        1 => Just(Act::Touch),
        3 => (prop::collection::vec(0u8..12, 1..4), 0usize..4).prop_map(|(keys, turn)| Act::LookAhead(keys, turn)),
    ]
}

fn over(disk: Box<dyn StateStores>, cache: usize) -> TaskState {
    let mut state = TaskState::new(disk, [(true, None, false)].into_iter(), Vec::new());
    state.set_cache(cache);
    state
}

fn cause() -> Cause {
    Cause::Timer { store: 0, entry: Bytes::new() }
}

fn write(target: &mut Model, key: u8, value: Option<u8>) {
    match value {
        Some(value) => drop(target.insert(vec![key], vec![value; 3])),
        None => drop(target.remove(&vec![key])),
    }
}

/// What is found when everything begins again, and as of when that is. A store that has a part of a commit has its old checkpoint, so all that the changelog has taken
/// since is read again.
fn restored(state: TaskState, partly: Option<(Model, Model)>, committed: Model) -> (Box<dyn StateStores>, Model) {
    let mut disk = state.into_committed();
    let Some((as_of, sent)) = partly else { return (disk, committed) };
    let value = |value: Vec<u8>| (!value.is_empty()).then(|| Bytes::from(value));
    let change = |(key, is): (Vec<u8>, Vec<u8>)| Change { store: 0, key: key.into(), value: value(is) };
    disk.apply(&sent.into_iter().map(change).collect::<Vec<_>>(), &[]).unwrap();
    (disk, as_of)
}

/// For records from this offset on with these keys; then it is the turn of the one at this place.
fn look_ahead(state: &mut TaskState, from: i64, keys: &[u8], turn: usize) {
    state.look_ahead(0, from, (from..).zip(keys.chunks(1))).unwrap();
    state.turn_to(0, from + turn as i64);
}

/// Has everything before a key expire. Answers what that changes.
fn expire(state: &mut TaskState, now: &mut Model, end: u8) -> Result<Model, TestCaseError> {
    let left = now.split_off(&vec![end]);
    let gone = std::mem::replace(now, left);
    state.expire(0, &[end]).unwrap();
    if let Some((first, _)) = now.first_key_value() {
        prop_assert!(state.mark(0).key().is_some_and(|mark| mark <= first));
    }
    Ok(gone.into_keys().map(|key| (key, Vec::new())).collect())
}

fn check(state: &TaskState, model: &Model, from: u8, to: Option<u8>) -> Result<(), TestCaseError> {
    for key in 0..12 {
        let found = state.get(0, &[key]).unwrap().map(|value| value.to_vec());
        prop_assert_eq!(found.as_ref(), model.get(&vec![key]));
    }
    let ends = to.map(|to| vec![to]);
    let seen: Vec<_> = state.scan(0, &[from], ends.as_deref()).unwrap().map(|entry| entry.unwrap()).collect();
    let seen: Vec<_> = seen.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    let within = |key: &Vec<u8>| key[0] >= from && to.is_none_or(|to| key[0] < to);
    let expected: Vec<_> = model.iter().filter(|(key, _)| within(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    prop_assert_eq!(seen, expected);
    Ok(())
}

proptest! {
    /// Against three maps: what is read, what a commit under way took along, and what is committed.
    #[test]
    fn reads_are_of_what_was_written_last_wherever_it_is(
        acts in prop::collection::vec(act(), 0..40),
        from in 0u8..12,
        to in prop::option::of(0u8..12),
        is_looked_at in any::<bool>(),
        cache in prop::sample::select(vec![0, 300, 100_000]),
    ) {
        let mut state = over(Box::new(Disk::default()), cache);
        let (mut now, mut flying, mut committed) = (Model::new(), None::<(Model, Model)>, Model::new());
        let (mut changed, mut has_landed) = (Model::new(), false);
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Step(writes, is_kept) => {
                    let mut next = now.clone();
                    for (key, value) in writes {
                        write(&mut next, key, value);
                        state.put(0, &[key], value.map(|value| Bytes::from(vec![value; 3])));
                        if is_kept {
                            changed.insert(vec![key], value.map_or(Vec::new(), |value| vec![value; 3]));
                        }
                    }
                    if is_kept {
                        state.keep_step(cause);
                        now = next;
                    } else {
                        state.undo_step();
                    }
                }
                Act::Expire(end) => changed.extend(expire(&mut state, &mut now, end)?),
                Act::Commit => match flying.take() {
                    None => {
                        state.launch();
                        let sent = state.flying_after(0).map(|(_, key, value)| (key.to_vec(), value.as_deref().unwrap_or_default().to_vec()));
                        let sent: Model = sent.collect();
                        prop_assert_eq!(&sent, &std::mem::take(&mut changed), "each changed key once, with its newest value");
                        prop_assert!(!state.is_dirty());
                        flying = Some((now.clone(), sent));
                        has_landed = false;
                    }
                    Some((as_of, _)) => {
                        state.apply(&[(0, Checkpoint::at(number as i64))]).unwrap();
                        committed = as_of;
                        prop_assert_eq!(state.committed().offset(0).unwrap(), Some(number as i64));
                    }
                },
                Act::Land(most) => {
                    state.apply_some(most.min(state.flying_len())).unwrap();
                    has_landed |= most > 0 && flying.is_some();
                }
                Act::Fail => {
                    let (disk, as_of) = restored(state, flying.take().filter(|_| has_landed), committed);
                    (state, committed) = (over(disk, cache), as_of);
                    now = committed.clone();
                    changed.clear();
                }
                Act::Touch => state.touch(&[(0, Checkpoint::at(-1))]).unwrap(),
                Act::LookAhead(keys, turn) => look_ahead(&mut state, 10 * number as i64, &keys, turn),
            }
            prop_assert_eq!(state.is_dirty(), !changed.is_empty());
            let holds_nothing = changed.is_empty() && flying.as_ref().is_none_or(|(_, sent)| sent.is_empty());
            prop_assert_eq!(state.dirty_bytes() == 0, holds_nothing);
            if is_looked_at {
                check(&state, &now, from, to)?;
            }
        }
        check(&state, &now, from, to)?;
        let (disk, committed) = restored(state, flying.filter(|_| has_landed), committed);
        check(&over(disk, cache), &committed, from, to)?;
    }
}

#[test]
fn memory_that_does_not_pay_is_lent_until_the_stores_are_given_back() {
    let lent = Rc::new(Cell::new(0));
    let mut state = over(Box::new(Disk { lent: Rc::clone(&lent), ..Disk::default() }), 3000);
    let mut ask = |keys: std::ops::Range<u16>| {
        for key in keys {
            state.get(0, &key.to_be_bytes()).unwrap();
            state.apply(&[(0, Checkpoint::at(1))]).unwrap();
        }
        lent.get()
    };
    assert_eq!(ask(0..50), 0, "there is room");
    assert!(ask(50..2000) > 2000, "none of them was asked for before");
    assert_eq!((0..100).map(|_| ask(0..50)).last(), Some(0), "all of them were");
    ask(2000..4000);
    drop(state.into_committed());
    assert_eq!(lent.get(), 0);
}
