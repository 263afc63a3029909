// SPDX-License-Identifier: Apache-2.0
//! Processes of this machine, as /proc shows them.

/// The children of a process; the second field after the name in `/proc/PID/stat` is the parent.
pub(crate) fn children(pid: u32) -> Vec<String> {
    let parent = |of: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).ok()?;
        stat.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)
            .map(str::to_owned)
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| parent(name) == Some(pid.to_string()))
        .collect()
}
