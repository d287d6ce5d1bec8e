//! What the machine, or the container, lets this process have. Linux only; elsewhere nothing is known.

use std::fs;
use std::path::{Path, PathBuf};

/// Memory when nothing is known about the machine.
const UNKNOWN: u64 = 1 << 30;

/// The default of `memory.limit`: three quarters of the control group's limit, which is this process's own, or a quarter of the
/// machine's memory, which it shares, but no less than `least`, which works.
pub fn default_memory(least: u64) -> u64 {
    let group = group_limits().into_iter().min();
    let machine = machine_memory();
    match (group, machine) {
        // A group without a limit of its own shows the machine's, or a number beyond it.
        (Some(limit), Some(machine)) if limit < machine => limit / 4 * 3,
        (Some(limit), None) => limit / 4 * 3,
        (_, Some(machine)) => (machine / 4).max(least),
        (None, None) => UNKNOWN.max(least),
    }
}

/// How many files this process may have open (`ulimit -n`).
pub fn open_file_limit() -> Option<u64> {
    soft_limit(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

/// The limits of the control groups this process is in, version 2 and 1.
fn group_limits() -> Vec<u64> {
    let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut limits = Vec::new();
    for group in groups.lines().filter_map(|line| line.strip_prefix("0::/")) {
        // The limit of a group is one for those within it too.
        limits.extend(
            Path::new(group).ancestors().filter_map(|at| number(Path::new("/sys/fs/cgroup").join(at).join("memory.max"))),
        );
    }
    limits.extend(number(PathBuf::from("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
    limits
}

fn machine_memory() -> Option<u64> {
    total(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        assert_eq!(total("MemTotal:       24035420 kB\nMemFree: 1 kB\n"), Some(24_035_420 * 1024));
        assert_eq!(total(""), None);
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             94000                94000                processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files            unlimited            unlimited            files\n"), Some(u64::MAX));
        assert!(default_memory(0) > 0);
    }
}
