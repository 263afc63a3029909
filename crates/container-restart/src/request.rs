// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the input are
//! collected, each with the path of its option.

mod lock;
mod selection;
mod verification;

use std::path::PathBuf;
use std::time::Duration;

use ansible_module::{Faults, InputFaults, unrendered};
use containers::Account;
use containers::engine::Kind;
use containers::pacemaker::lock::Terms;
use containers::processes::Signal;

pub use selection::{ContainerWish, Selection};
pub use verification::{Endpoint, Verify};

use crate::params::Params;

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// What the certificate is called in messages.
    pub name: String,
    /// The file that holds what must be served.
    pub certificate: PathBuf,
    /// The file of its key.
    pub private_key: Option<PathBuf>,
    /// What it takes the place of.
    pub replaces: Vec<Fingerprint>,
    /// Which containers.
    pub selection: Selection,
    /// Only this engine.
    pub engine: Option<Kind>,
    /// Only at this socket.
    pub socket: Option<PathBuf>,
    /// Only this user's.
    pub user: Option<(String, Account)>,
    /// How long an engine may take to answer.
    pub engine_timeout: Duration,
    /// What to do.
    pub action: ActionWish,
    /// Through whom.
    pub manager: Manager,
    /// Refresh Kolla's copies.
    pub sync: bool,
    /// Restart where something gentler did not help.
    pub escalate: bool,
    /// When to act.
    pub only_if: OnlyIf,
    /// How to prove.
    pub verify: Verify,
    /// How long a proof may take.
    pub verify_timeout: Duration,
    /// Probes in a row.
    pub verify_consecutive: u32,
    /// How long a container may take to stop.
    pub stop_timeout: Option<u64>,
    /// Wait for the healthcheck.
    pub wait_healthy: bool,
    /// How long it must be seen to stay up.
    pub stable_for: Duration,
    /// Containers at once.
    pub serial: usize,
    /// How many may fail before nothing more is begun.
    pub max_failures: usize,
    /// Restart what shares the network of a container that was restarted.
    pub restart_dependents: bool,
    /// The lock that the hosts of a cluster share while they act.
    pub lock: Option<Terms>,
    /// A named container that is not there.
    pub missing: Severity,
    /// A container that does not run.
    pub not_running: Severity,
    /// Something that nothing could prove.
    pub unproven: Severity,
    /// Executed in the container before anything is done to it.
    pub validate_command: Option<Vec<String>>,
    /// Where unproven reloads are remembered.
    pub state_dir: PathBuf,
}

/// What the user wants done to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionWish {
    /// The gentlest that works.
    Auto,
    /// Nothing: only look.
    None,
    /// A signal to the program that serves.
    Signal(Signal),
    /// A program in the container.
    Execute {
        /// The program and its arguments.
        command: Vec<String>,
        /// As whom.
        user: Option<String>,
    },
    /// The unit's own reload.
    Reload,
    /// A restart.
    Restart,
}

/// Through whom a container is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Who owns it.
    Auto,
    /// The engine, whoever owns it.
    Engine,
    /// The cluster; it must be of a bundle.
    Pacemaker,
    /// The unit; there must be one.
    Systemd,
}

/// When to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyIf {
    /// It serves something older.
    Stale,
    /// The file changed after it was started.
    Newer,
    /// Whatever it serves.
    Always,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The task fails.
    Fail,
    /// It is in the result.
    Skip,
    /// It is in the result and a warning.
    Warn,
}

impl Severity {
    fn from_word(word: &str) -> Self {
        match word {
            "fail" => Self::Fail,
            "skip" => Self::Skip,
            _ => Self::Warn,
        }
    }
}

/// SHA-256 of a certificate as `AB:CD:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// With or without colons, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<char> = text.chars().filter(|letter| *letter != ':').collect();
        if digits.len() != 64 || !digits.iter().all(char::is_ascii_hexdigit) {
            return None;
        }
        let pairs: Vec<String> = digits
            .chunks(2)
            .map(|pair| pair.iter().collect::<String>().to_ascii_uppercase())
            .collect();
        Some(Self(pairs.join(":")))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Request {
    /// Checks all options.
    pub fn try_from_params(params: Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        let certificate = path("certificate", &params.certificate, &mut faults);
        let private_key = params
            .private_key
            .as_deref()
            .map(|text| path("private_key", text, &mut faults));
        let socket = params
            .socket
            .as_deref()
            .map(|text| path("socket", text, &mut faults));
        let action = action(
            "",
            &params.action,
            ActionOptions {
                signal: Some(&params.signal),
                command: params.command.clone(),
                user: params.command_user.clone(),
            },
            &mut faults,
        );
        let engine = match params.engine.as_str() {
            "docker" => Some(Kind::Docker),
            "podman" => Some(Kind::Podman),
            _ => None,
        };
        let command = program("validate_command", params.validate_command, &mut faults);
        let request = Self {
            name: params.name.unwrap_or_else(|| params.certificate.clone()),
            certificate,
            private_key,
            replaces: fingerprints(&params.replaces, &mut faults),
            selection: selection::selection(params.containers, params.labels, &mut faults),
            engine,
            socket,
            user: account(params.user, &mut faults),
            engine_timeout: seconds("engine_timeout", params.engine_timeout, 1, &mut faults),
            action,
            manager: match params.manager.as_str() {
                "engine" => Manager::Engine,
                "pacemaker" => Manager::Pacemaker,
                "systemd" => Manager::Systemd,
                _ => Manager::Auto,
            },
            sync: params.sync,
            escalate: params.escalate,
            only_if: match params.only_if.as_str() {
                "newer" => OnlyIf::Newer,
                "always" => OnlyIf::Always,
                _ => OnlyIf::Stale,
            },
            verify: verification::verify(params.verify, &mut faults),
            verify_timeout: seconds("verify_timeout", params.verify_timeout, 1, &mut faults),
            verify_consecutive: count(
                "verify_consecutive",
                params.verify_consecutive,
                1,
                100,
                &mut faults,
            ),
            stop_timeout: params
                .stop_timeout
                .map(|value| seconds("stop_timeout", value, 0, &mut faults).as_secs()),
            wait_healthy: params.wait_healthy,
            stable_for: seconds("stable_for", params.stable_for, 0, &mut faults),
            serial: count("serial", params.serial, 1, 1000, &mut faults) as usize,
            max_failures: count("max_failures", params.max_failures, 0, 1000, &mut faults) as usize,
            restart_dependents: params.restart_dependents,
            lock: lock::lock(
                &params.lock,
                params.lock_name,
                (params.lock_ttl, params.lock_timeout),
                &mut faults,
            ),
            missing: Severity::from_word(&params.missing),
            not_running: Severity::from_word(&params.not_running),
            unproven: Severity::from_word(&params.unproven),
            validate_command: command,
            state_dir: path("state_dir", &params.state_dir, &mut faults),
        };
        faults.into_result(request)
    }
}

/// The options that belong to an action.
#[derive(Default)]
struct ActionOptions<'a> {
    signal: Option<&'a str>,
    command: Option<Vec<String>>,
    user: Option<String>,
}

/// `at` is the path of the dictionary that the options are in, with its dot.
fn action(at: &str, word: &str, options: ActionOptions<'_>, faults: &mut Faults) -> ActionWish {
    let command = program(&format!("{at}command"), options.command, faults);
    if command.is_some() && !matches!(word, "exec") {
        faults.push(
            format!("{at}command"),
            format!("belongs to the action 'exec', not to '{word}'"),
        );
    }
    match word {
        "none" => ActionWish::None,
        "signal" => {
            let word = options.signal.unwrap_or("HUP");
            ActionWish::Signal(Signal::from_word(word).unwrap_or_else(|| {
                faults.push(
                    format!("{at}signal"),
                    format!("'{word}' is none of HUP, USR1, USR2, WINCH"),
                );
                Signal::Hup
            }))
        }
        "exec" => {
            if command.is_none() {
                faults.push(format!("{at}command"), "is required for the action 'exec'");
            }
            ActionWish::Execute {
                command: command.unwrap_or_default(),
                user: options.user,
            }
        }
        "reload" => ActionWish::Reload,
        "restart" => ActionWish::Restart,
        _ => ActionWish::Auto,
    }
}

fn program(at: &str, command: Option<Vec<String>>, faults: &mut Faults) -> Option<Vec<String>> {
    let command = command.filter(|words| !words.is_empty())?;
    if command.first().is_none_or(String::is_empty) {
        faults.push(format!("{at}[0]"), "is no program");
    }
    for (index, word) in command.iter().enumerate() {
        if let Some(why) = unrendered(word) {
            faults.push(format!("{at}[{index}]"), why);
        }
    }
    Some(command)
}

fn path(at: &str, text: &str, faults: &mut Faults) -> PathBuf {
    let path = PathBuf::from(text);
    if let Some(why) = unrendered(text) {
        faults.push(at, why);
    } else if !path.is_absolute() {
        faults.push(at, format!("'{text}' is not an absolute path"));
    }
    path
}

fn fingerprints(texts: &[String], faults: &mut Faults) -> Vec<Fingerprint> {
    let mut found = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match Fingerprint::parse(text) {
            Some(fingerprint) => found.push(fingerprint),
            None => faults.push(
                format!("replaces[{index}]"),
                format!("'{text}' is not a SHA-256 fingerprint of 64 hexadecimal digits"),
            ),
        }
    }
    found
}

fn account(user: Option<String>, faults: &mut Faults) -> Option<(String, Account)> {
    let user = user.filter(|name| !matches!(name.as_str(), "" | "root" | "0"))?;
    let found = tls_files::accounts::uid(&user).map_err(|error| error.to_string());
    let account = found.and_then(|uid| {
        // What systemd-logind makes for a user whose services run; its group is the user's.
        let directory = PathBuf::from(format!("/run/user/{uid}"));
        let metadata = directory.metadata();
        let gid = metadata.map(|found| std::os::unix::fs::MetadataExt::gid(&found));
        gid.map(|gid| Account { uid, gid }).map_err(|error| {
            format!(
                "'{user}' has no services now: '{}': {error}",
                directory.display()
            )
        })
    });
    match account {
        Ok(account) => Some((user, account)),
        Err(why) => {
            faults.push("user", why);
            None
        }
    }
}

fn seconds(at: &str, value: i64, least: u64, faults: &mut Faults) -> Duration {
    const MOST: u64 = 86_400;
    match u64::try_from(value) {
        Ok(seconds) if (least..=MOST).contains(&seconds) => Duration::from_secs(seconds),
        _ => {
            faults.push(at, format!("give {least} to {MOST} seconds"));
            Duration::from_secs(least)
        }
    }
}

fn count(at: &str, value: i64, least: u32, most: u32, faults: &mut Faults) -> u32 {
    match u32::try_from(value) {
        Ok(count) if (least..=most).contains(&count) => count,
        _ => {
            faults.push(at, format!("give {least} to {most}"));
            least
        }
    }
}

#[cfg(test)]
mod tests;
