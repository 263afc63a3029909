// SPDX-License-Identifier: Apache-2.0
//! A process of a container, as the host sees it, and a signal to it. Which processes a container has is told by
//! `tls-probe`, which looks into them for sockets.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal as Number, pidfd_open, pidfd_send_signal};

use crate::{Error, Result};

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// On the host.
    pub pid: u32,
    /// Its parent, on the host.
    pub parent: u32,
    /// Its name, at most 15 letters.
    pub program: String,
    /// When it began, in ticks since boot: with the number, its identity.
    pub began: u64,
    /// The user that it acts as, as the host counts.
    pub uid: u32,
    /// The group that it acts as.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
    /// Its command line.
    pub arguments: Vec<String>,
}

/// What is known of a process; `None` if it is gone.
pub fn process(pid: u32) -> Option<Process> {
    let base = Path::new("/proc").join(pid.to_string());
    let status = fs::read_to_string(base.join("status")).ok()?;
    let stat = fs::read_to_string(base.join("stat")).ok()?;
    // The name may hold anything, also a bracket: the fields after the last one are numbers.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let command = fs::read(base.join("cmdline")).unwrap_or_default();
    let arguments = command
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| String::from_utf8_lossy(part).into_owned());
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        program: fs::read_to_string(base.join("comm"))
            .ok()?
            .trim_end()
            .to_owned(),
        began: fields.get(19)?.parse().ok()?,
        uid: effective(&status, "Uid:")?,
        gid: effective(&status, "Gid:")?,
        groups: line(&status, "Groups:")
            .split_whitespace()
            .filter_map(|number| number.parse().ok())
            .collect(),
        arguments: arguments.collect(),
    })
}

/// A process that is held: no other can take its number meanwhile.
#[derive(Debug)]
pub struct Held {
    process: Process,
    descriptor: OwnedFd,
}

impl Process {
    /// Takes hold of it, and sees that it is still the same.
    pub fn hold(&self, signal: Signal) -> Result<Held> {
        let failed = |source: io::Error| self.failed(signal, source);
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| failed(Errno::SRCH.into()))?;
        let descriptor =
            pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| failed(errno.into()))?;
        if process(self.pid).is_none_or(|now| now.began != self.began) {
            return Err(failed(Errno::SRCH.into()));
        }
        Ok(Held {
            process: self.clone(),
            descriptor,
        })
    }

    fn failed(&self, signal: Signal, source: io::Error) -> Error {
        Error::Signal {
            signal: signal.word(),
            pid: self.pid,
            program: self.program.clone(),
            source,
        }
    }
}

impl Held {
    /// Sends it a signal.
    pub fn send(&self, signal: Signal) -> Result<()> {
        pidfd_send_signal(&self.descriptor, signal.number())
            .map_err(|errno| self.process.failed(signal, errno.into()))
    }
}

/// Signals that ask a program to read its files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGWINCH.
    Winch,
}

impl Signal {
    /// The word of the option `signal`, with or without `SIG`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        match word.strip_prefix("SIG").unwrap_or(&word) {
            "HUP" => Some(Self::Hup),
            "USR1" => Some(Self::Usr1),
            "USR2" => Some(Self::Usr2),
            "WINCH" => Some(Self::Winch),
            _ => None,
        }
    }

    /// `HUP`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hup => "HUP",
            Self::Usr1 => "USR1",
            Self::Usr2 => "USR2",
            Self::Winch => "WINCH",
        }
    }

    const fn number(self) -> Number {
        match self {
            Self::Hup => Number::HUP,
            Self::Usr1 => Number::USR1,
            Self::Usr2 => Number::USR2,
            Self::Winch => Number::WINCH,
        }
    }
}

/// Path of the control group by hierarchy.
fn control_groups(pid: u32) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    });
    lines.collect()
}

fn line<'a>(status: &'a str, name: &str) -> &'a str {
    let found = status.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default()
}

/// The second number: real, effective, saved, file system.
fn effective(status: &str, name: &str) -> Option<u32> {
    line(status, name).split_whitespace().nth(1)?.parse().ok()
}

/// Whether a watcher of a container is in a unit of systemd's, and which: `/system.slice/kolla-k1-container.service`.
pub fn unit_of(pid: u32) -> Option<String> {
    let groups = control_groups(pid);
    let mut names = groups.values().filter_map(|path| {
        let parts = path.split('/');
        parts
            .rev()
            .find(|part| part.ends_with(".service"))
            .map(str::to_owned)
    });
    names.next()
}

/// The host's number of a user or group of a container, by its `uid_map` or `gid_map`.
pub fn on_the_host(map: &Path, inside: u32) -> Option<u32> {
    mapped(&fs::read_to_string(map).ok()?, inside)
}

/// Lines of three numbers: the first inside, the first outside, how many.
fn mapped(text: &str, inside: u32) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, outside, count) = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        let offset = inside.checked_sub(first).filter(|offset| *offset < count)?;
        outside.checked_add(offset)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let own = process(std::process::id()).unwrap();
        assert!(own.began > 0 && own.parent > 0);
        assert!(own.arguments.first().unwrap().contains("containers"));
        assert_eq!(process(0), None);
    }

    #[test]
    fn a_process_that_is_another_by_now_is_not_signalled() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mut seen = process(child.id()).unwrap();
        seen.began += 1;
        let refused = seen.hold(Signal::Hup).map(|_| ());
        assert!(matches!(refused, Err(Error::Signal { .. })), "{refused:?}");
        seen.began -= 1;
        seen.hold(Signal::Hup).unwrap().send(Signal::Hup).unwrap();
        assert!(
            !child.wait().unwrap().success(),
            "sleep has no handler for HUP"
        );
        assert!(seen.hold(Signal::Hup).is_err(), "it is gone");
    }

    #[test]
    fn users_of_a_container_without_root_have_other_numbers_outside() {
        let map = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!(
            [0, 1, 42, 70_000].map(|inside| mapped(map, inside)),
            [Some(1000), Some(100_000), Some(100_041), None]
        );
    }

    #[test]
    fn signals_are_read_with_and_without_their_prefix() {
        assert_eq!(Signal::from_word("sighup"), Some(Signal::Hup));
        assert_eq!(Signal::from_word("USR2").map(Signal::word), Some("USR2"));
        assert_eq!(Signal::from_word("KILL"), None);
    }
}
