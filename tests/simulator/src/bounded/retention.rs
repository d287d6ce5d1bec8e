//! Retention that overtakes a run: the run must end by an error that names what is missing, and keep what it has committed.

use headwater_core::TopicPartition;
use headwater_core::engine::EngineError;

use crate::cases::APP;
use crate::control::Control;
use crate::mark::Mark;
use crate::world::World;

impl World {
    /// Whether an input can be overtaken, and if so which partition and up to where.
    pub fn can_overtake(&self, number: u64) -> Option<(TopicPartition, i64)> {
        let past = self.past.as_ref().filter(|_| self.setup.bounded.is_some_and(|terms| terms.retention))?;
        let committed = |partition: &TopicPartition| self.log.committed(APP, partition).map_or(0, |committed| committed.offset);
        let mut open = past.streams(self.setup.case);
        open.retain(|(partition, span)| committed(partition).max(span.start) < span.end);
        let (partition, span) = open.get(number as usize % open.len().max(1))?;
        let (done, end) = (committed(partition).max(span.start), self.log.high_watermark(&partition.topic, partition.partition));
        let number = (number >> 4) as i64;
        // Mostly what the run is done with.
        let before = if number % 10 != 0 { number % (done + 1) } else { done + 1 + number % (end - done) };
        Some((partition.clone(), before))
    }

    /// Deletes records of an input.
    pub fn overtake(&self, number: u64) {
        let Some((partition, before)) = self.can_overtake(number) else { return };
        self.log.delete_before(&partition.topic, partition.partition, before);
        let committed = self.log.committed(APP, &partition).map(|committed| committed.offset);
        let first = self.facts.spans.get(&partition).map_or(0, |span| span.start);
        let mut control = self.control.lock();
        control.line(|| (None, None, "starts at", partition.to_string(), Some(before), String::from("retention")));
        control.trimmed = true;
        if before > committed.unwrap_or(first) {
            control.overtaken.insert(partition);
        }
    }
}

/// Whether a process had to end because retention has overtaken the run, and says so.
pub fn is_overtaken(control: &mut Control, error: &EngineError) -> bool {
    let EngineError::SpanLost { partition, position, log } = error else { return false };
    let text = error.to_string();
    let names = [partition.to_string(), position.to_string(), log.start.to_string()];
    let is_named = names.iter().all(|name| text.contains(name.as_str()));
    let overtaken = control.overtaken.contains(partition) && *position < log.start && is_named;
    control.mark_if(overtaken, Mark::BoundedOvertaken);
    overtaken
}
