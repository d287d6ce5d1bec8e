//! Memory that a task lends is used for blocks, and given back.

use headwater_core::port::StateStores;
use tempfile::tempdir;

use crate::support::{at, open, options, put, stores};

const MIB: usize = 1 << 20;
const KEYS: usize = 20_000;
/// Of bytes that do not compress, so that blocks hold few of them.
const VALUE: usize = 1000;

fn value(number: usize) -> String {
    let mut random = number as u64 + 1;
    let next = |_| {
        random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        char::from(b'!' + (random >> 57) as u8 % 90)
    };
    (0..VALUE).map(next).collect()
}

#[test]
fn blocks_have_what_is_lent_and_no_more() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    for from in (0..KEYS).step_by(1000) {
        let changes: Vec<_> = (from..from + 1000).map(|key| put(0, &format!("{key:08}"), &value(key))).collect();
        task.apply(&changes, &[at(0, from as i64)]).unwrap();
    }
    task.flush().unwrap();
    let limit = options().memory_bytes + MIB;
    read(&*task);
    assert!(stores.memory_used_bytes() < limit);
    task.lend(16 * MIB);
    read(&*task);
    assert!(stores.memory_used_bytes() > 16 * MIB);
    task.lend(0);
    assert!(stores.memory_used_bytes() < limit, "nothing has to be read for it");
    task.lend(16 * MIB);
    read(&*task);
    assert!(stores.memory_used_bytes() > 16 * MIB);
    drop(task);
    read(&*open(&stores, "t_0", &["a"]));
    assert!(stores.memory_used_bytes() < limit, "what a task lent goes with it");
}

fn read(task: &dyn StateStores) {
    for key in 0..KEYS {
        assert_eq!(task.get(0, format!("{key:08}").as_bytes()).unwrap().unwrap(), value(key).as_bytes());
    }
}
