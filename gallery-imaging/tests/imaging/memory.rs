//! For tests that run in a process of their own, so that the memory they take can be told.

/// In bytes, since this process began.
pub(crate) fn most_memory_held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of a process's memory");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kilobytes") * 1024
}
