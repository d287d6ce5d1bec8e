use std::fs;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, IntGauge, Result};

use super::definitions as def;

/// Linux gives times to programs in hundredths of a second whatever the kernel's own tick (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Reads `/proc/self` when asked; shows nothing where there is none.
pub(super) struct ProcessCollector {
    memory: IntGauge,
    fds: IntGauge,
    cpu: Counter,
}

impl ProcessCollector {
    pub(super) fn new() -> Result<ProcessCollector> {
        Ok(ProcessCollector {
            memory: IntGauge::new(def::PROCESS_MEMORY.name, def::PROCESS_MEMORY.help)?,
            fds: IntGauge::new(def::PROCESS_FDS.name, def::PROCESS_FDS.help)?,
            cpu: Counter::new(def::PROCESS_CPU.name, def::PROCESS_CPU.help)?,
        })
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let descriptions = [self.memory.desc(), self.fds.desc(), self.cpu.desc()];
        descriptions.into_iter().flatten().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = Vec::new();
        if let Some(bytes) = headwater_runtime::resident_bytes() {
            self.memory.set(i64::try_from(bytes).unwrap_or(i64::MAX));
            families.extend(self.memory.collect());
        }
        if let Some(open) = open_fds() {
            self.fds.set(open);
            families.extend(self.fds.collect());
        }
        if let Some(seconds) = cpu_seconds() {
            // Two scrapes at the same time may read in one order and add in the other: never backwards.
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
            families.extend(self.cpu.collect());
        }
        families
    }
}

fn open_fds() -> Option<i64> {
    // The directory being read is one of them.
    let entries = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    i64::try_from(entries).ok()
}

/// User and system time are fields 14 and 15. The second field, the name, may contain spaces, so counting starts behind it.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}
