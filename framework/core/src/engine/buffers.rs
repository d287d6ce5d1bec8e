//! How much input and committed state a worker holds in memory.

use super::worker::{Stage, Worker};
use crate::port::LogError;

impl Worker {
    /// Lets the caches of committed state have so many bytes on top of what the options say.
    pub fn set_on_top(&mut self, bytes: usize) {
        if self.on_top != bytes {
            self.on_top = bytes;
            // Also where nothing is processed for now: somebody may need the memory.
            self.share_cache();
        }
    }

    /// Whether more would be of use to one of them: it had to let something go.
    pub fn wants_memory(&self) -> bool {
        self.wants_memory
    }

    /// Divides the memory for committed state among the tasks: less of it while something is restored, which needs it more.
    pub(super) fn share_cache(&mut self) {
        let is_restoring = self.tasks.values().any(|stage| matches!(stage, Stage::Restoring(_)));
        let lent = if is_restoring { 0 } else { self.options.lent_bytes };
        let each = (self.options.cache_bytes + lent + self.on_top) / self.tasks.len().max(1);
        self.wants_memory = false;
        for stage in self.tasks.values_mut() {
            if let Stage::Running(task) = stage {
                // Before it has more room, which it will say it has no use for until that is full.
                self.wants_memory |= task.state.is_cache_full();
                task.state.set_cache(each);
            }
        }
    }

    /// Records and bytes waiting for their turn.
    pub fn buffered(&self) -> (u64, u64) {
        self.running()
            .flat_map(|task| &task.inputs)
            .fold((0, 0), |(records, bytes), input| (records + input.len() as u64, bytes + input.bytes() as u64))
    }

    /// Holds partitions back whose task has enough in memory, and lets them go on when half of it is gone. Once all tasks together have
    /// too much, enough is an equal share of what there is: then none but those with less than that get more.
    pub(super) fn balance_buffers(&mut self) -> Result<(), LogError> {
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        let inputs = self.running().map(|task| task.inputs.len()).sum::<usize>().max(1);
        let total = self.options.buffer_total_bytes;
        // One poll may bring as much again before the next look.
        let fair = if self.buffered().1 > total as u64 / 2 { total / inputs / 2 } else { usize::MAX };
        for task in self.tasks.values().filter_map(|stage| if let Stage::Running(task) = stage { Some(task) } else { None }) {
            let share = fair.min(self.options.buffer_bytes / task.inputs.len().max(1));
            for input in &task.inputs {
                let is_paused = self.paused.contains(&input.partition);
                if !is_paused && input.bytes() > share {
                    pause.push(input.partition.clone());
                } else if is_paused && input.bytes() <= share / 2 {
                    resume.push(input.partition.clone());
                }
            }
        }
        if !pause.is_empty() {
            self.reader.pause(&pause)?;
            self.paused.extend(pause);
        }
        if !resume.is_empty() {
            self.reader.resume(&resume)?;
            resume.iter().for_each(|partition| {
                self.paused.remove(partition);
            });
        }
        Ok(())
    }
}
