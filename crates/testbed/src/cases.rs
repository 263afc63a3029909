// SPDX-License-Identifier: Apache-2.0
//! One folder per case: check, real, again.
//!
//! ```text
//! tests/cases/a_missing_key_is_made/
//!   args.json            the options of the task; `$DIR` is the path of the sandbox
//!   before/              optional: copied into the sandbox, links and modes kept
//!   setup.sh             optional: run by `sh -eu` in the sandbox after that, with DIR set and umask 022
//!   expect.json          what the real run must answer
//!   expect-check.json    optional: what the check run must answer, in place of the rule below
//!   expect-again.json    optional: what the second real run must answer, in place of the rule below
//!   after.txt            optional: what must be in the sandbox after the real run
//! ```
//!
//! The folder's name is a sentence: it is what the test says when it fails. A case runs the executable three
//! times on the same sandbox, with diff mode on:
//!
//! 1. **check** must answer the same `changed` and `failed` as the real run will, and move nothing on disk,
//!    not even a time stamp;
//! 2. **real** must fit `expect.json`, and if it failed, must have moved nothing on disk either;
//! 3. **again** must answer `changed: false`, not fail, and move nothing on disk. It is left out after a
//!    failure.
//!
//! No answer of any run may hold a line of a private key that is in the sandbox.
//!
//! `expect.json` names what matters: see [`mismatches`] for the wildcard `[..]` and for null.
//! An `expect-check.json` or `expect-again.json` drops the rule of its run, also that nothing moves for again:
//! a forced renewal changes each time. Check never moves anything.
//!
//! A line of `after.txt` is one of these; paths are relative to the sandbox, `[..]` stands for any text, and
//! lines that begin with `#` are comments:
//!
//! ```text
//! exact                    there is no file or link but those named here (directories do not count)
//! 0600 private/key.pem     there is such a file or directory with this mode
//! link live -> certs/a     there is such a symbolic link
//! absent private/old.pem   there is no such path
//! ```
//!
//! With the environment variable `CASE` only the cases whose names contain its value run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, panic, thread};

use serde_json::{Value, json};

use crate::expectation::{mismatches, wildcard};
use crate::module::{Answer, ModuleRun};
use crate::must;
use crate::sandbox::{Listing, Sandbox};

/// Runs every case below `directory` and fails with the reports of all that failed.
///
/// Fails too if there is no case at all: a wrong path must not look like success.
#[track_caller]
pub fn run(directory: impl AsRef<Path>, executable: impl AsRef<Path>) {
    let (directory, executable) = (directory.as_ref(), executable.as_ref());
    let cases = folders(directory);
    assert!(!cases.is_empty(), "no cases in {}", directory.display());
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(report) = run_case(case, executable)
                && let Ok(mut failures) = failures.lock()
            {
                failures.push(format!("case {}: {report}", case.display()));
            }
        }
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        (0..workers.min(cases.len())).for_each(|_| drop(scope.spawn(worker)));
    });
    let failures = failures.into_inner().unwrap_or_default();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

fn folders(directory: &Path) -> Vec<PathBuf> {
    let only = std::env::var("CASE").unwrap_or_default();
    let entries = must(
        fs::read_dir(directory),
        &format!("cannot list {}", directory.display()),
    );
    let mut cases: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path.to_string_lossy().contains(&only))
        .collect();
    cases.sort();
    cases
}

/// One case; what it panics with is the report.
///
/// # Errors
/// What did not fit, with everything that is known.
pub fn run_case(case: &Path, executable: &Path) -> Result<(), String> {
    panic::catch_unwind(|| Case::open(case, executable).run()).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        Err(text
            .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_default())
    })
}

struct Case<'a> {
    folder: &'a Path,
    executable: &'a Path,
    sandbox: Sandbox,
}

impl<'a> Case<'a> {
    fn open(folder: &'a Path, executable: &'a Path) -> Self {
        let sandbox = Sandbox::new();
        if folder.join("before").is_dir() {
            sandbox.copy_from(&folder.join("before"));
        }
        let script = folder.join("setup.sh");
        if script.is_file() {
            setup(&script, &sandbox);
        }
        Self {
            folder,
            executable,
            sandbox,
        }
    }

    fn run(&self) -> Result<(), String> {
        let start = self.sandbox.listing();
        let check = self.module(true);
        self.unmoved("check", &start, &check)?;
        let real = self.module(false);
        fits(
            "real",
            &self.json("expect.json").ok_or("there is no expect.json")?,
            &real,
        )?;
        let rule = json!({"changed": real.changed(), "failed": real.failed().then_some(true)});
        fits(
            "check",
            &self.json("expect-check.json").unwrap_or(rule),
            &check,
        )?;
        if real.failed() {
            self.unmoved("real, which failed", &start, &real)?;
        }
        let end = self.sandbox.listing();
        self.after(&end)
            .map_err(|why| format!("{why}\n{}", real.report()))?;
        if real.failed() {
            Ok(())
        } else {
            self.again(&end)
        }
    }

    fn again(&self, end: &Listing) -> Result<(), String> {
        let again = self.module(false);
        match self.json("expect-again.json") {
            Some(expected) => fits("again", &expected, &again),
            None => {
                fits("again", &json!({"changed": false, "failed": null}), &again)?;
                self.unmoved("again", end, &again)
            }
        }
    }

    fn module(&self, check: bool) -> Answer {
        let args = self.json("args.json").unwrap_or_else(|| json!({}));
        let mut keys = key_lines(self.sandbox.path());
        let answer = ModuleRun::new(self.executable)
            .args(args)
            .sandbox(&self.sandbox)
            .check(check)
            .diff(true)
            .run();
        // Those that were there before too: they are replaced, not forgotten.
        keys.extend(key_lines(self.sandbox.path()));
        for line in keys {
            answer.never_says(&line);
        }
        answer
    }

    fn unmoved(&self, run: &str, before: &Listing, answer: &Answer) -> Result<(), String> {
        match before.differences(&self.sandbox.listing()) {
            moved if moved.is_empty() => Ok(()),
            moved => Err(format!(
                "{run}: something on disk moved:\n{}\n{}",
                moved.join("\n"),
                answer.report()
            )),
        }
    }

    /// A JSON file of the case with `$DIR` replaced; `None` if it is not there.
    fn json(&self, name: &str) -> Option<Value> {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).ok()?;
        let value = must(
            serde_json::from_str(&text),
            &format!("{} is not JSON", path.display()),
        );
        Some(self.sandbox.place(&value))
    }

    fn after(&self, listing: &Listing) -> Result<(), String> {
        let Ok(text) = fs::read_to_string(self.folder.join("after.txt")) else {
            return Ok(());
        };
        let wrong = after_mismatches(&text, listing);
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(format!("after.txt: {}", wrong.join("\nafter.txt: ")))
        }
    }
}

/// The lines of all private keys in PEM files of a tree, without those too short to be told from other text.
fn key_lines(tree: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(tree).into_iter().flatten().flatten() {
        let path = entry.path();
        // Links are not followed, nor is anything opened that could block.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => lines.extend(key_lines(&path)),
            Ok(kind) if kind.is_file() => {
                let bytes = fs::read(&path).unwrap_or_default();
                lines.extend(key_lines_of(&String::from_utf8_lossy(&bytes)));
            }
            _ => {}
        }
    }
    lines
}

fn key_lines_of(text: &str) -> Vec<String> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("-----") {
            is_inside = line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY");
        } else if is_inside && line.len() >= 40 {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn setup(script: &Path, sandbox: &Sandbox) {
    let script = must(script.canonicalize(), "cannot find setup.sh");
    let output = Command::new("sh")
        // The same modes whoever runs the tests.
        .args(["-euc", "umask 022; . \"$0\""])
        .arg(&script)
        .current_dir(sandbox.path())
        .env("DIR", sandbox.path())
        .output();
    let output = must(output, "cannot start sh");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} failed ({}):\n{stderr}",
        script.display(),
        output.status
    );
}

fn fits(run: &str, expected: &Value, answer: &Answer) -> Result<(), String> {
    let lines = mismatches(expected, &answer.value);
    if lines.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{run}: {}\n{}",
        lines.join(&format!("\n{run}: ")),
        answer.report()
    ))
}

/// What of `after.txt` is not so, one line each.
fn after_mismatches(text: &str, listing: &Listing) -> Vec<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut wrong, mut named, mut exact) = (Vec::new(), Vec::new(), false);
    for line in lines {
        let Some((word, rest)) = line.split_once(' ') else {
            exact |= line == "exact";
            if line != "exact" {
                wrong.push(format!("'{line}' is no line of this format"));
            }
            continue;
        };
        let rest = rest.trim();
        let path = if word == "link" {
            rest.split(" -> ").next().unwrap_or(rest)
        } else {
            rest
        };
        let found: Vec<_> = listing
            .0
            .iter()
            .filter(|(at, _)| wildcard(path, &at.to_string_lossy()))
            .collect();
        named.extend(found.iter().map(|(at, _)| (*at).clone()));
        wrong.extend(line_mismatch(line, word, rest, &found));
    }
    if exact {
        let others = listing
            .0
            .iter()
            .filter(|(at, entry)| entry.kind != 'd' && !named.contains(at));
        wrong.extend(others.map(|(at, entry)| format!("not named: {} {entry}", at.display())));
    }
    wrong
}

fn line_mismatch(
    line: &str,
    word: &str,
    rest: &str,
    found: &[(&PathBuf, &crate::sandbox::Entry)],
) -> Option<String> {
    if word == "absent" {
        return (!found.is_empty()).then(|| format!("'{line}', but it is there"));
    }
    if found.is_empty() {
        return Some(format!("'{line}', but it is not there"));
    }
    if word == "link" {
        let target = rest
            .split_once(" -> ")
            .map(|(_, target)| target)
            .unwrap_or_default();
        let wrong = found
            .iter()
            .find(|(_, e)| e.kind != 'l' || !wildcard(target, &e.content))?;
        return Some(format!("'{line}', but it is {}", wrong.1));
    }
    match u32::from_str_radix(word, 8) {
        Err(_) => Some(format!("'{line}' is no line of this format")),
        Ok(mode) => {
            let wrong = found
                .iter()
                .find(|(_, e)| e.kind == 'l' || e.mode != mode)?;
            Some(format!(
                "'{line}', but {} is {}",
                wrong.0.display(),
                wrong.1
            ))
        }
    }
}

#[cfg(test)]
mod tests;
