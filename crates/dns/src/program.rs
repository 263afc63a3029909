// SPDX-License-Identifier: Apache-2.0
//! Starts a program that the user named: argument list only, a clean environment, a time limit, bounded output.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Error, Result};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More of what a program says than this is of no use in a message.
const SAID_LIMIT: u64 = 4096;

/// Runs it with `input` on its standard input, until it has ended well.
///
/// # Errors
/// [`Error::Program`] when it cannot be started, fails, or is not done in time; then it is killed with all that it
/// started, unless they left its process group.
pub(crate) fn run(argv: &[String], input: &[u8], within: Duration) -> Result<()> {
    let failed = |how: String| Error::Program {
        command: argv.join(" "),
        how,
    };
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| failed("names no program".into()))?;
    let mut child = start(program, arguments).map_err(|e| failed(format!("cannot start: {e}")))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // The threads end when the pipes do; a program that has ended may have left them to children of its own.
    let (said, heard) = std::sync::mpsc::channel();
    let owned = input.to_vec();
    std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&owned)));
    for pipe in [boxed(stdout), boxed(stderr)] {
        let said = said.clone();
        std::thread::spawn(move || said.send(first_part(pipe)));
    }
    let status = wait(&mut child, within).map_err(|e| failed(format!("cannot wait: {e}")))?;
    let patience = Duration::from_millis(500);
    let words: Vec<String> = (0..2)
        .filter_map(|_| heard.recv_timeout(patience).ok())
        .filter(|words| !words.is_empty())
        .collect();
    let complaint = match words.is_empty() {
        true => "and said nothing".to_owned(),
        false => format!("and said: {}", words.join(" / ")),
    };
    match status {
        None => Err(failed(format!(
            "was not done within {} s {complaint}",
            within.as_secs()
        ))),
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(failed(format!("{} {complaint}", ending(status)))),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user's own checks, reloads and hooks: argv lists, no shell, no secret among them"
)]
fn start(program: &str, arguments: &[String]) -> std::io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

fn boxed(pipe: Option<impl Read + Send + 'static>) -> Box<dyn Read + Send> {
    match pipe {
        Some(pipe) => Box::new(pipe),
        None => Box::new(std::io::empty()),
    }
}

/// The beginning of what it says; the rest is read so that it does not block.
fn first_part(mut pipe: Box<dyn Read + Send>) -> String {
    let mut bytes = Vec::new();
    // What cannot be read was not said.
    let _ = pipe.by_ref().take(SAID_LIMIT).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// How it ended, or that it did not.
fn wait(child: &mut Child, within: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= within {
            if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
                // It may have ended in this moment.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, signal) => format!("was ended by signal {}", signal.unwrap_or(0)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], within: Duration) -> Result<()> {
        run(&["sh".into(), "-c".into(), script.into()], input, within)
    }

    #[test]
    fn it_gets_its_input_and_no_environment() {
        let limit = Duration::from_secs(10);
        sh(
            "test \"$(cat)\" = hello && test -z \"$HOME\"",
            b"hello",
            limit,
        )
        .unwrap();
        // Nobody reads a megabyte; it does not matter.
        sh("true", &vec![b'x'; 1 << 20], limit).unwrap();
        // No clock shows the end of this.
        sh("true", b"", Duration::MAX).unwrap();
    }

    #[test]
    fn what_went_wrong_is_told() {
        let limit = Duration::from_secs(10);
        let text = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            text(sh("echo no; echo why >&2; exit 3", b"", limit)).replace("why / no", "no / why"),
            "'sh -c echo no; echo why >&2; exit 3' ended with status 3 and said: no / why"
        );
        assert_eq!(
            text(sh("kill -9 $$", b"", limit)),
            "'sh -c kill -9 $$' was ended by signal 9 and said nothing"
        );
        assert!(
            text(run(&["/no/such".into()], b"", limit)).starts_with("'/no/such' cannot start: ")
        );
    }

    #[test]
    fn one_that_does_not_end_is_killed_with_its_children() {
        let started = Instant::now();
        let error = sh("sleep 60 & sleep 60", b"", Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), "dns.program");
        assert!(error.to_string().contains("was not done within 0 s"));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
