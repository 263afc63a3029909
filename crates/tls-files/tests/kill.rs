// SPDX-License-Identifier: Apache-2.0
//! `kill -9` at every step and at random moments: the run, its committer, and both.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tls_files::{DirectoryLocks, Step};

const FILES: [&str; 3] = ["private/api.key", "certs/api.pem", "certs/chain.pem"];

/// Two directories with one set in them.
struct Host {
    place: tempfile::TempDir,
    generation: u32,
}

impl Host {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("private")).unwrap();
        std::fs::create_dir(place.path().join("certs")).unwrap();
        let mut host = Self {
            place,
            generation: 0,
        };
        host.install_new();
        host
    }

    fn root(&self) -> PathBuf {
        self.place.path().canonicalize().unwrap()
    }

    fn command(&self, word: &str) -> Command {
        // Beside this test's own directory `deps`, where cargo puts the examples.
        let program = std::env::current_exe()
            .unwrap()
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/installer");
        assert!(
            program.is_file(),
            "{} is missing: run 'cargo test -p tls-files' without '--test'",
            program.display()
        );
        let mut command = Command::new(program);
        command
            .arg(word)
            .arg(self.root())
            .arg(self.generation.to_string());
        command
    }

    fn run(&self, word: &str) -> String {
        let output = self.command(word).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }

    /// A run that nobody disturbs succeeds, and leaves exactly the new set.
    fn install_new(&mut self) {
        self.generation += 1;
        let said = self.run("install");
        assert!(
            said.ends_with(&format!("installed {} []\n", self.generation)),
            "{said}"
        );
        assert_eq!(self.generations(), [Some(self.generation); 3]);
        assert_eq!(self.names(), FILES.map(PathBuf::from).into_iter().collect());
    }

    /// Waits until nobody works in the directories.
    fn settle(&self) {
        let directories = ["private", "certs"].map(|name| self.root().join(name));
        drop(DirectoryLocks::acquire(directories, Duration::from_secs(20)).unwrap());
    }

    /// The first line of each file.
    fn generations(&self) -> [Option<u32>; 3] {
        FILES.map(|file| {
            let text = std::fs::read_to_string(self.root().join(file)).ok()?;
            assert!(text.len() > 2000, "'{file}' is cut");
            text.lines().next()?.parse().ok()
        })
    }

    fn key_matches_certificate(&self) -> bool {
        let [key, certificate, _] = self.generations();
        key == certificate
    }

    fn names(&self) -> BTreeSet<PathBuf> {
        let names = |directory: &str| {
            let entries = std::fs::read_dir(self.root().join(directory)).unwrap();
            let directory = PathBuf::from(directory);
            entries
                .map(move |entry| directory.join(entry.unwrap().file_name()))
                .collect::<Vec<_>>()
        };
        names("private").into_iter().chain(names("certs")).collect()
    }

    fn plan(&self, lines: &[String]) {
        std::fs::write(self.root().join("plan"), lines.join("\n")).unwrap();
    }

    /// Forgets the plan; says whether its line `index` came to be.
    fn fired(&self, index: usize) -> bool {
        std::fs::remove_file(self.root().join("plan")).unwrap();
        (0..8)
            .filter(|line| {
                std::fs::remove_file(self.root().join(format!("fired-{line}"))).is_ok()
                    && *line == index
            })
            .count()
            == 1
    }
}

/// Plays a word with each step killed in each way; returns the steps that were reached, as `role step`.
fn kill_at_every_step(word: &str, obstructed: bool) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut host = Host::new();
    for role in ["run", "committer"] {
        for (step, skip) in Step::ALL
            .iter()
            .flat_map(|step| (0..3).map(move |skip| (step, skip)))
        {
            for victim in ["self", "other", "both"] {
                let case = format!("{role} {step:?} {skip} {victim}");
                let mut lines = vec![case.clone()];
                if obstructed {
                    lines.push("run JournalWritten 0 obstruct".to_owned());
                }
                host.plan(&lines);
                host.generation += 1;
                let said = host.run(word);
                host.settle();
                if host.fired(0) {
                    reached.insert(format!("{role} {step:?}"));
                }
                if victim != "both" {
                    assert!(
                        host.key_matches_certificate(),
                        "{case}: {:?} {said}",
                        host.generations()
                    );
                }
                host.run("recover");
                assert!(
                    host.key_matches_certificate(),
                    "{case}, recovered: {:?} {said}",
                    host.generations()
                );
                let left: Vec<_> = host
                    .names()
                    .into_iter()
                    .filter(|name| !FILES.iter().any(|file| Path::new(file) == name))
                    .collect();
                assert!(left.is_empty(), "{case}: left over {left:?}");
                let _ = std::fs::remove_dir(host.root().join("certs/chain.pem"));
                host.install_new();
            }
        }
    }
    reached
}

fn steps(role: &str, names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("{role} {name}")).collect()
}

#[test]
fn a_kill_at_any_step_of_an_install_leaves_a_matching_pair() {
    let reached = kill_at_every_step("install", false);
    let mut expected = steps(
        "run",
        &[
            "TemporaryCreated",
            "TemporaryWritten",
            "TemporariesSynced",
            "OldKept",
            "PointerMade",
            "JournalWritten",
            "HandedOver",
        ],
    );
    expected.extend(steps(
        "committer",
        &[
            "CommitBegun",
            "Renamed",
            "DirectoriesSynced",
            "JournalRemoved",
            "LeftoversRemoved",
        ],
    ));
    assert_eq!(reached, expected);
}

#[test]
fn a_kill_at_any_step_of_a_failing_install_leaves_a_matching_pair() {
    let reached = kill_at_every_step("install", true);
    assert!(
        reached.contains("committer PutBack") && reached.contains("committer JournalRemoved"),
        "{reached:?}"
    );
}

#[test]
fn a_kill_at_any_step_of_a_removal_leaves_all_or_nothing() {
    let reached = kill_at_every_step("remove", false);
    assert!(
        reached.contains("committer Renamed") && reached.contains("run PointerMade"),
        "{reached:?}"
    );
}

#[test]
fn an_install_that_fails_halfway_puts_everything_back_and_says_why() {
    let mut host = Host::new();
    let before = host.generation;
    host.plan(&["run JournalWritten 0 obstruct".to_owned()]);
    host.generation += 1;
    let said = host.run("install");
    let chain = host.root().join("certs/chain.pem");
    assert_eq!(
        said,
        format!(
            "failed cannot replace '{}': Is a directory (os error 21)\n",
            chain.display()
        )
    );
    assert_eq!(host.generations(), [Some(before), Some(before), None]);
    assert_eq!(host.names(), FILES.map(PathBuf::from).into_iter().collect());
}

/// Small and seeded: what matters is that the moments differ, and that a failure can name its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn two_hundred_random_kills_leave_a_matching_pair() {
    let seed = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    let mut dice = Dice(seed);
    let mut host = Host::new();
    let mut halfway = 0;
    for round in 0..210 {
        host.generation += 1000;
        let mut run = host
            .command("loop")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(run.stdout.take().unwrap());
        said.read_line(&mut String::new()).unwrap();
        std::thread::sleep(Duration::from_micros(dice.below(40_000)));
        let victim = dice.below(5);
        if victim >= 3 {
            // 3: the committer, and the run when it has got over that; 4: both at once.
            committer_of(run.id()).into_iter().for_each(kill);
        }
        if victim == 3 {
            let next = host
                .generations()
                .into_iter()
                .flatten()
                .max()
                .unwrap()
                .max(host.generation)
                + 2;
            let is_next = |line: &str| line.starts_with(&format!("installed {next} "));
            assert!(
                said.by_ref().lines().any(|line| is_next(&line.unwrap())),
                "the run ended without its committer"
            );
            std::thread::sleep(Duration::from_micros(dice.below(20_000)));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        host.settle();
        let case = format!("seed {seed}, round {round}, victim {victim}");
        if victim != 4 {
            assert!(
                host.key_matches_certificate(),
                "{case}: {:?}",
                host.generations()
            );
        }
        halfway += usize::from(host.names().len() > 3);
        host.run("recover");
        let [key, certificate, chain] = host.generations();
        assert!(
            key.is_some() && key == certificate && key == chain,
            "{case}: {:?}",
            host.generations()
        );
        assert_eq!(
            host.names(),
            FILES.map(PathBuf::from).into_iter().collect(),
            "{case}"
        );
    }
    // Kills that hit nothing would prove nothing.
    assert!(
        halfway >= 20,
        "only {halfway} of 210 kills hit a change, seed {seed}"
    );
}

fn committer_of(run: u32) -> Option<u32> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let process: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            (stat.rsplit_once(')')?.1.split_whitespace().nth(1)? == run.to_string())
                .then_some(process)
        })
}

fn kill(process: u32) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
    let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
}

#[test]
fn the_locks_of_a_killed_run_last_until_its_committer_has_finished() {
    let mut host = Host::new();
    host.plan(&["committer Renamed 0 linger".to_owned()]);
    host.generation += 1;
    let mut run = host
        .command("install")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    run.wait().unwrap();
    assert_eq!(host.generations(), [Some(2), Some(1), Some(1)]);
    let directory = host.root().join("private");
    let error =
        DirectoryLocks::acquire([directory.clone()], Duration::from_millis(20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "directory '{}' is locked for process {}, which has ended but whose last renames are not done yet; waited 0 s for it; wait for the other run to end, then run again",
            directory.display(),
            run.id()
        )
    );
    host.settle();
    assert_eq!(host.generations(), [Some(2); 3]);
    assert!(host.fired(0));
    assert_eq!(host.names(), FILES.map(PathBuf::from).into_iter().collect());
}

#[test]
fn eight_runs_at_once_serialize_and_none_loses() {
    let mut host = Host::new();
    let runs: Vec<_> = (0..8)
        .map(|_| {
            host.generation += 1;
            let mut command = host.command("install");
            let run = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            (host.generation, run)
        })
        .collect();
    for (generation, run) in runs {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            said,
            format!("installed {generation} []\n"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let [key, certificate, chain] = host.generations();
    assert!(key.is_some_and(|key| key > 1) && key == certificate && key == chain);
    assert_eq!(host.names(), FILES.map(PathBuf::from).into_iter().collect());
}
