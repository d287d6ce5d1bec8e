use std::collections::HashSet;

use super::handle::MemoryLog;
use super::partition::{Kind, Partition};

impl MemoryLog {
    /// Cuts the end of a partition off as far as no reader of committed records can tell, as an election of an unclean leader does to what
    /// was not replicated yet: aborted records and their markers. The offsets are given again. Returns how many were cut; none while a
    /// transaction is open there, or when the partition does not exist.
    pub fn cut_uncommitted_tail(&self, topic: &str, partition: i32) -> i64 {
        self.change(|state| state.topics.partition_mut(topic, partition).map_or(0, Partition::cut_uncommitted_tail))
    }
}

impl Partition {
    fn cut_uncommitted_tail(&mut self) -> i64 {
        let end = self.ends().end;
        if self.visible_end(false) < end {
            return 0;
        }
        let mut keep = end;
        for entry in self.entries.iter().rev() {
            let uncommitted = match entry.kind {
                Kind::Marker => self.is_abort_marker(entry.record.offset),
                _ => self.is_aborted(entry),
            };
            if !uncommitted {
                break;
            }
            keep = entry.record.offset;
        }
        // A transaction of which a record stays must keep its marker, or the record would count as committed.
        let staying: HashSet<_> =
            self.entries.iter().filter(|entry| entry.record.offset < keep).map(|entry| entry.kind).collect();
        let needed = staying
            .into_iter()
            .filter_map(|kind| if let Kind::Transactional(seq) = kind { self.abort_marker(seq) } else { None });
        keep = needed.fold(keep, |keep, marker| keep.max(marker + 1));
        self.cut(keep);
        end - keep
    }
}
