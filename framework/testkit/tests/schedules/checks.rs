//! What must hold at every moment.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_core::{Plan, TopicPartition};
use headwater_testkit::MemoryLog;

use crate::topology::APP;
use crate::world::{Positions, World};

/// Committed positions and the event time beside them never go back.
#[derive(Default)]
pub struct Progress {
    before: Positions,
}

impl Progress {
    pub fn check(&mut self, log: &MemoryLog, plan: &Plan) {
        for task in plan.tasks() {
            for topic in plan.inputs_of(&task) {
                let partition = TopicPartition { topic, partition: task.partition };
                let Some(committed) = log.committed(APP, &partition) else { continue };
                let now = (committed.offset, times(&committed.metadata));
                if let Some(before) = self.before.get(&partition) {
                    assert!(now.0 >= before.0, "{partition}: position went back from {} to {}", before.0, now.0);
                    let back = before.1.iter().zip(&now.1).find(|(before, now)| before > now);
                    assert_eq!(back, None, "{partition}: event time went back: {}", committed.metadata);
                }
                self.before.insert(partition, now);
            }
        }
    }
}

/// The times in a position's metadata, in order; none for unknown. A difference stands for its sum with the one before.
fn times(metadata: &str) -> Vec<Option<i64>> {
    let Some((_, text)) = metadata.split_once(':') else { return Vec::new() };
    let mut before = 0;
    let times = text.split([',', '@']).map(|time| {
        let time = time.trim_end_matches('!');
        if time == "-" {
            return None;
        }
        let (digits, sign) = time.strip_prefix('~').map_or((time, 1), |digits| (digits, -1));
        before += sign * i64::from_str_radix(digits, 36).unwrap();
        Some(before)
    });
    times.collect()
}

/// Each store is exactly its changelog up to the offset beside it. A compacted changelog cannot tell what it was.
pub fn stores_equal_their_changelogs(world: &World) {
    if world.compacted {
        return;
    }
    for (task, stores) in world.disks().flat_map(|disk| disk.contents()) {
        let partition = task.rsplit('-').next().unwrap().parse().unwrap();
        for (store, contents) in stores.into_iter().filter(|(name, _)| name != "names") {
            let end = contents.checkpoint.map_or(0, |checkpoint| checkpoint.offset);
            let mut fold: BTreeMap<Bytes, Bytes> = BTreeMap::new();
            for record in world.log().read_all(&format!("{APP}-{store}-changelog"), partition, true) {
                match (record.key, record.value) {
                    _ if record.offset >= end => {}
                    (Some(key), Some(value)) => drop(fold.insert(key, value)),
                    (Some(key), None) => drop(fold.remove(&key)),
                    (None, _) => {}
                }
            }
            assert_eq!(contents.entries, fold, "store {store} of {task} at offset {end}");
        }
    }
}
