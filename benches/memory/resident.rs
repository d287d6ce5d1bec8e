//! What a process uses, as Linux tells it.

use std::fs;

/// The most that was seen.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Peak {
    pub(crate) bytes: u64,
    pub(crate) files: usize,
}

impl Peak {
    /// Looks at a process once.
    pub(crate) fn look(&mut self, pid: u32) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok());
        self.bytes = self.bytes.max(kibibytes.unwrap_or(0_u64) * 1024);
        self.files = self.files.max(fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count));
    }
}
