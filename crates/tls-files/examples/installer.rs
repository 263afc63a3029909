// SPDX-License-Identifier: Apache-2.0
//! A program that installs sets of files and can be told to die at any step: what `tests/kill.rs` kills.
//!
//! `ROOT/plan` says, in words: whose step (`run` or `committer`), its name, how many times it is passed over first,
//! and what happens then: `self`, `other` or `both` are killed, `other` is killed and we `linger`, or
//! the chain's path is `obstruct`ed by a directory.
//! It is found from the paths of the steps, because the committer has neither arguments nor an environment.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tls_files::{Attributes, DirectoryLocks, FileChange, Step, Steps, Target};
use zeroize::Zeroizing;

struct Planned {
    role: &'static str,
    passed: [AtomicUsize; 64],
}

impl Planned {
    fn new(role: &'static str) -> Self {
        Self {
            role,
            passed: [const { AtomicUsize::new(0) }; 64],
        }
    }
}

impl Steps for Planned {
    fn reached(&self, step: Step, path: &Path) {
        let Some(root) = path.ancestors().find(|root| root.join("plan").is_file()) else {
            return;
        };
        let plan = std::fs::read_to_string(root.join("plan")).unwrap();
        for (index, line) in plan.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [role, name, skip, deed] = words[..] else {
                continue;
            };
            if role == self.role
                && name == format!("{step:?}")
                && self.passed[index].fetch_add(1, Ordering::SeqCst)
                    == skip.parse::<usize>().unwrap()
            {
                std::fs::write(root.join(format!("fired-{index}")), "").unwrap();
                self.act(deed, root);
            }
        }
    }
}

impl Planned {
    fn act(&self, deed: &str, root: &Path) {
        if deed == "obstruct" {
            let chain = root.join("certs/chain.pem");
            std::fs::remove_file(&chain).unwrap();
            std::fs::create_dir(&chain).unwrap();
        }
        if matches!(deed, "other" | "both" | "linger") {
            let other = if self.role == "run" {
                committer()
            } else {
                parent()
            };
            other.into_iter().for_each(kill);
        }
        if deed == "linger" {
            std::thread::sleep(Duration::from_secs(1));
        }
        if matches!(deed, "self" | "both") {
            kill(std::process::id());
        }
    }
}

fn kill(process: u32) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
    let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    // The signal may take a moment; nothing more must be done until then.
    if process == rustix::process::getpid() {
        std::thread::sleep(Duration::from_secs(10));
    }
}

fn parent() -> Option<u32> {
    // 1 is who adopts orphans, not the run.
    let parent = std::os::unix::process::parent_id();
    let command = std::fs::read(format!("/proc/{parent}/cmdline")).ok()?;
    command
        .windows(9)
        .any(|word| word == b"installer")
        .then_some(parent)
}

fn committer() -> Option<u32> {
    let me = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let process: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // After the name in parentheses: state, parent.
            let is_child = stat.rsplit_once(')')?.1.split_whitespace().nth(1)? == me;
            is_child.then_some(process)
        })
}

fn set(root: &Path, generation: u32) -> Vec<FileChange> {
    let file = |path: &str, secret| FileChange {
        target: Target {
            path: root.join(path),
            attributes: Attributes::default(),
            secret,
            backup: false,
        },
        content: Zeroizing::new(format!("{generation}\n{}", "x".repeat(2000)).into_bytes()),
    };
    vec![
        file("private/api.key", true),
        file("certs/api.pem", false),
        file("certs/chain.pem", false),
    ]
}

fn directories(root: &Path) -> Vec<PathBuf> {
    vec![root.join("private"), root.join("certs")]
}

fn prepare(root: &Path) -> DirectoryLocks {
    let locks = DirectoryLocks::acquire(directories(root), Duration::from_secs(20)).unwrap();
    for recovered in tls_files::recover(directories(root)).unwrap() {
        println!("recovered {} {:?}", recovered.set, recovered.action);
    }
    locks
}

fn install(root: &Path, generation: u32) {
    let installed = tls_files::install_observed("api", set(root, generation), &Planned::new("run"));
    match installed {
        Ok(installed) => println!("installed {generation} {:?}", installed.warnings),
        Err(error) => println!(
            "failed {error}: {}",
            std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default()
        ),
    }
}

/// Microseconds per set of three files: median of `count`, with and without the committer.
fn bench(root: &Path, count: u32) {
    let measure = |name: &str, first: u32| {
        let mut times: Vec<u128> = (first..first + count)
            .map(|generation| {
                let started = Instant::now();
                let installed = tls_files::install("api", set(root, generation)).unwrap();
                assert_eq!(
                    (installed.files.len(), installed.warnings.is_empty()),
                    (3, name == "with")
                );
                started.elapsed().as_micros()
            })
            .collect();
        times.sort_unstable();
        println!(
            "{name} committer: median {} us, least {} us, most {} us",
            times[times.len() / 2],
            times[0],
            times[times.len() - 1]
        );
    };
    let _locks = prepare(root);
    if std::env::args().nth(4).as_deref() == Some("without") {
        measure("without", 1);
    } else {
        measure("with", 1);
    }
    let started = Instant::now();
    for _ in 0..count * 10 {
        for file in set(root, 0) {
            assert!(matches!(
                tls_files::observe(&file.target.path),
                tls_files::Observed::Present(_)
            ));
        }
    }
    println!(
        "observe: {} ns per file",
        started.elapsed().as_nanos() / u128::from(count * 30)
    );
    let unchanged = Instant::now();
    for _ in 0..count {
        assert!(
            tls_files::install("api", set(root, count))
                .unwrap()
                .files
                .is_empty()
        );
    }
    println!(
        "install of an unchanged set: {} us",
        unchanged.elapsed().as_micros() / u128::from(count)
    );
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments
        .get(1)
        .is_some_and(|argument| argument == "--commit")
    {
        return tls_files::committer_main_observed(&Planned::new("committer"));
    }
    let root = PathBuf::from(&arguments[2]).canonicalize().unwrap();
    let number: u32 = arguments.get(3).map_or(0, |number| number.parse().unwrap());
    match arguments[1].as_str() {
        "install" => {
            let _locks = prepare(&root);
            install(&root, number);
        }
        "loop" => {
            let _locks = prepare(&root);
            println!("ready");
            // Longer than anybody waits before the kill.
            (number..u32::MAX).for_each(|generation| install(&root, generation));
        }
        "remove" => {
            let _locks = prepare(&root);
            let paths: Vec<PathBuf> = set(&root, 0)
                .into_iter()
                .map(|file| file.target.path)
                .collect();
            match tls_files::remove_observed("api", &paths, &Planned::new("run")) {
                Ok(removed) => println!("removed {}", removed.len()),
                Err(error) => println!("failed {error}"),
            }
        }
        "recover" => drop(prepare(&root)),
        "bench" => bench(&root, number),
        other => {
            println!("unknown word {other}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
