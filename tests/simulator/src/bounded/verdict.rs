use std::collections::BTreeSet;

use headwater_core::TopicPartition;
use headwater_core::bounded::Finish;

use super::Past;
use crate::cases::{APP, BOUND, Compare, End, Item};
use crate::checks::{difference, leftovers};
use crate::mark::Mark;
use crate::world::World;

impl World {
    /// What must be true of a bounded run that is over.
    pub fn judge_run(&self, past: &Past) {
        let complete = self.is_complete();
        let overtaken = !self.control.lock().overtaken.is_empty();
        if !complete && !overtaken {
            return self.control.lock().violate("end", String::from("the run is not complete"));
        }
        let found = if complete { self.differs_from_fold(past) } else { self.differs_from_progress(past) };
        let stores = self.disks.iter().flat_map(|disk| disk.contents());
        let mut control = self.control.lock();
        for (task, contents, _) in stores {
            if let Some(difference) = difference(&control.history, &self.facts, &self.log, &task, &contents) {
                control.violate("store", difference);
            }
        }
        found.into_iter().chain(self.misplaced()).for_each(|text| control.violate("output", text));
        if complete {
            self.mark_end(past, &mut control.tally.marks);
            let trimmed = control.trimmed;
            control.mark_if(trimmed, Mark::BoundedTrimmed);
        }
        drop(control);
        if complete && !self.is_over() {
            self.left_behind(past);
            // What is gone cannot be read again.
            if !self.control.lock().trimmed {
                self.compare_with_others(past);
            }
        }
    }

    fn finish(&self) -> Finish {
        self.setup.bounded.map(|terms| terms.finish).unwrap_or_default()
    }

    fn end(&self, past: &Past) -> End {
        End::Bounded { closes: self.finish() == Finish::CloseWindows, idle: past.unread.clone() }
    }

    /// Compares the outputs with a fold of exactly the records within the spans.
    fn differs_from_fold(&self, past: &Past) -> Option<String> {
        let items: Vec<Item> = past.items.iter().map(|(_, item)| item.clone()).collect();
        let expected = self.setup.case.expected(self.setup.partitions, &items, &self.end(past));
        expected.iter().find_map(|expected| self.compare(expected))
    }

    /// Of a run that was overtaken: what it has committed is there still, and the results of it are visible, and no others. Of outputs behind
    /// repartition topics only the records are known, not how many by now.
    fn differs_from_progress(&self, past: &Past) -> Option<String> {
        let control = self.control.lock();
        let kept = |partition: &TopicPartition| self.log.committed(APP, partition).map(|committed| committed.offset);
        let lost = past.spans.keys().find(|partition| kept(partition) != control.ledgers[0].position(partition));
        if let Some(partition) = lost {
            return Some(format!("the position committed for {partition} is gone"));
        }
        let committed = |(offset, item): &&(i64, Item)| {
            kept(&TopicPartition::new(item.topic, item.partition)).is_some_and(|position| *offset < position)
        };
        let items: Vec<Item> = past.items.iter().filter(committed).map(|(_, item)| item.clone()).collect();
        let closes = self.finish() == Finish::CloseWindows;
        let end = End::Bounded { closes: false, idle: past.unread.clone() };
        let expected = self.setup.case.expected(self.setup.partitions, &items, &end);
        let exact = |compare: Compare, timed: bool| compare == Compare::Sequence && !(closes && timed);
        expected.iter().filter(|expected| exact(expected.compare, expected.timed)).find_map(|expected| self.compare(expected))
    }

    /// A record where nothing may be written: in the live run's outputs, or anywhere if the run writes none.
    fn misplaced(&self) -> Option<String> {
        let declared = self.plan.blueprint().output_topics();
        declared.iter().find_map(|topic| {
            let end = (0..self.setup.partitions).map(|partition| self.log.high_watermark(topic, partition)).max()?;
            (end > 0).then(|| format!("{topic} has records up to offset {end}, and the run must not write there"))
        })
    }

    fn mark_end(&self, past: &Past, marks: &mut [u64]) {
        let Some(terms) = self.setup.bounded else { return };
        let reached = [
            (terms.silent, Mark::BoundedSilent),
            (terms.finish == Finish::CloseWindows, Mark::BoundedClosed),
            (past.spans.values().any(|span| span.is_empty()), Mark::BoundedEmpty),
            (past.has_gaps, Mark::BoundedCompacted),
            (past.spans.values().any(|span| span.start > 0), Mark::BoundedPart),
            (self.has_invisible_tail(past), Mark::BoundedInvisibleTail),
        ];
        reached.iter().filter(|(reached, _)| *reached).for_each(|(_, mark)| marks[*mark as usize] += 1);
    }

    /// Whether a span that is not empty ends in offsets that no record is visible at.
    fn has_invisible_tail(&self, past: &Past) -> bool {
        let seen: BTreeSet<(&str, i32, i64)> = past.items.iter().map(|(at, item)| (item.topic, item.partition, *at)).collect();
        let streams = past.streams(self.setup.case);
        streams
            .iter()
            .any(|(partition, span)| !span.is_empty() && !seen.contains(&(&*partition.topic, partition.partition, span.end - 1)))
    }

    /// Windows that are closed or timers that have fired must be gone. Event time is at least what the slowest partition says.
    fn left_behind(&self, past: &Past) {
        let newest = |partition: &TopicPartition| {
            let its = past.items.iter().map(|(_, item)| item).filter(|item| item.topic == &*partition.topic);
            let times = its.filter(|item| item.partition == partition.partition).filter_map(|item| item.event.as_ref());
            times.map(|event| event.time).max().unwrap_or(i64::MIN / 2)
        };
        let read = past.streams(self.setup.case).into_iter().filter(|(_, span)| !span.is_empty());
        let time = read.map(|(partition, _)| newest(&partition)).min().unwrap_or(i64::MIN / 2) - BOUND;
        let case = self.setup.case;
        let left = leftovers(&self.facts, &self.log, case.timed(), self.setup.partitions, time);
        // A timer whose handler sets the next one has no last; windows have.
        let windows: Vec<(&str, i64)> = case.timed().iter().copied().filter(|(_, delay)| *delay > 0).collect();
        let closes = self.finish() == Finish::CloseWindows;
        let open = closes.then(|| leftovers(&self.facts, &self.log, &windows, self.setup.partitions, i64::MAX / 2)).flatten();
        left.into_iter().chain(open).for_each(|text| self.control.lock().violate("leftovers", text));
    }
}
