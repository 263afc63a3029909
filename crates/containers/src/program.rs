// SPDX-License-Identifier: Apache-2.0
//! Starts a program of the host: argument list only, a clean environment, a time limit, bounded output.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Where programs of the host are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More than this of a program's output is of no use to anybody.
const OUTPUT_LIMIT: u64 = 64 << 20;

/// Whose program it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The number of their group.
    pub gid: u32,
}

/// What a program said and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 + the signal if one ended it.
    pub status: i32,
    /// What it said.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
}

/// The program of that name among the host's.
pub fn find(name: &str) -> Option<PathBuf> {
    let mut places = PATH
        .split(':')
        .map(|directory| Path::new(directory).join(name));
    places.find(|path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// Runs it and gives back what it said, however it ended.
pub(crate) fn run(
    argv: &[&str],
    account: Option<&Account>,
    input: &[u8],
    limit: Duration,
) -> Result<Output> {
    let line = || argv.join(" ");
    let start = |source| Error::ProgramStart {
        command: line(),
        source,
    };
    let mut command = prepared(argv, account);
    let mut child = command.spawn().map_err(start)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stdin = child.stdin.take();
    let deadline = crate::deadline::deadline(limit);
    std::thread::scope(|scope| {
        let output = scope.spawn(move || read(stdout));
        let complaint = scope.spawn(move || read(stderr));
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(None) => {
                    // Its own process group: nothing that holds our pipes may stay behind.
                    kill_group(child.id());
                    let _ = child.wait();
                    break Err(Error::Slow {
                        engine: format!("'{}'", argv.first().unwrap_or(&"")),
                        request: line(),
                        seconds: limit.as_secs(),
                    });
                }
                Err(source) => break Err(start(source)),
            }
        };
        let (stdout, stderr) = (output.join(), complaint.join());
        Ok(Output {
            status: number(status?),
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
        })
    })
}

/// As [`run`], and a status other than 0 is an error.
pub(crate) fn expect(argv: &[&str], account: Option<&Account>, limit: Duration) -> Result<Vec<u8>> {
    let output = run(argv, account, b"", limit)?;
    if output.status == 0 {
        return Ok(output.stdout);
    }
    Err(Error::Program {
        command: argv.join(" "),
        status: output.status.to_string(),
        said: last_lines(&output.stderr, 3),
    })
}

/// The last lines of a text, in one.
pub(crate) fn last_lines(bytes: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let from = lines.len().saturating_sub(count);
    lines.get(from..).unwrap_or_default().join("; ")
}

fn prepared(argv: &[&str], account: Option<&Account>) -> Command {
    let (program, arguments) = argv.split_first().unwrap_or((&"", &[]));
    #[expect(
        clippy::disallowed_methods,
        reason = "podman, systemctl and what the user gives: argv only, no secret"
    )]
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .envs(passed_on())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(account) = account {
        command
            .gid(account.gid)
            .uid(account.uid)
            .env("XDG_RUNTIME_DIR", format!("/run/user/{}", account.uid))
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path=/run/user/{}/bus", account.uid),
            );
    }
    command
}

/// Where Podman's storage is, if our own environment says so; a task sets these by `environment`.
fn passed_on() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    const NAMES: [&str; 2] = ["CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"];
    #[expect(
        clippy::disallowed_methods,
        reason = "Podman's own variables, handed on and not looked at"
    )]
    NAMES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

fn kill_group(pid: u32) {
    let group = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error is still worth something.
        let _ = pipe.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
    }
    bytes
}

fn number(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    #[test]
    fn a_program_is_found_run_and_heard() {
        let sh = find("sh").unwrap().display().to_string();
        let said = run(&[&sh, "-c", "cat; echo no >&2; exit 3"], None, b"yes", SOON).unwrap();
        assert_eq!(
            said,
            Output {
                status: 3,
                stdout: b"yes".to_vec(),
                stderr: b"no\n".to_vec()
            }
        );
        let failed = expect(&[&sh, "-c", "echo a >&2; echo b >&2; exit 2"], None, SOON);
        let text = failed.map_err(|error| error.to_string());
        assert_eq!(
            text,
            Err(format!(
                "'{sh} -c echo a >&2; echo b >&2; exit 2' failed with status 2: a; b"
            ))
        );
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_its_children() {
        let began = Instant::now();
        let slow = run(
            &["/bin/sh", "-c", "sleep 100 & sleep 100"],
            None,
            b"",
            Duration::from_millis(200),
        );
        assert!(matches!(slow, Err(Error::Slow { .. })));
        assert!(began.elapsed() < SOON);
    }
}
