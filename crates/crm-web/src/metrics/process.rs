//! What the system says of this process; where it says nothing, nothing is known.

use std::fs;

/// Ticks of the system's clock in a second: Linux' own number, whatever the machine.
const TICKS: u64 = 100;

/// Resident memory in bytes.
pub(super) fn memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Open file descriptors.
pub(super) fn open_files() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// The most file descriptors that can be open.
pub(super) fn most_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whole seconds of processor time used.
pub(super) fn processor_seconds() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything but ends with the last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut numbers = rest.split_whitespace().skip(11);
    let mut next = || numbers.next()?.parse::<u64>().ok();
    Some((next()? + next()?) / TICKS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn linux_tells_all() {
        assert!(super::memory().unwrap() > 100_000.0);
        assert!(super::open_files().unwrap() >= 3);
        assert!(super::most_files().unwrap() >= 3.0);
        assert!(super::processor_seconds().is_some());
    }
}
