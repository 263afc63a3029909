// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, in the words of containers and certificates. Messages of libraries stay theirs and follow as causes.

mod answer;

use std::path::PathBuf;

use ansible_module::InputFaults;
use pki::Timestamp;

use crate::request::Fingerprint;

pub use answer::{Failed, TaskFailure};

/// A failure of one container or of the whole task.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Pacemaker looks after it and takes a restart by somebody else for a failure.
    #[error("container '{container}': {why}; nothing was touched")]
    BehindPacemaker {
        /// The container.
        container: String,
        /// What would happen, and what to do instead.
        why: String,
    },
    /// It may be pacemaker's, and that could not be asked.
    #[error(
        "container '{container}' has the name of a replica of pacemaker's, and the cluster could not be asked: {why}; nothing was touched"
    )]
    ClusterUnknown {
        /// The container.
        container: String,
        /// Why not.
        why: String,
    },
    /// An engine, a file in a container, a signal or a program.
    #[error(transparent)]
    Container(#[from] containers::Error),
    /// The certificate is not valid any more; the operator should renew it first.
    #[error("the certificate in '{}' expired at {not_after}; nothing was touched", path.display())]
    Expired {
        /// Its file.
        path: PathBuf,
        /// When.
        not_after: Timestamp,
    },
    /// An engine that was there at first.
    #[error("an engine was lost; this is a bug")]
    EngineLost,
    /// A file of the host cannot be read.
    #[error("cannot read the {what} '{}'", path.display())]
    File {
        /// Certificate or private key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It has running guests, and nothing but a restart is left.
    #[error(
        "container '{container}': {why}; a restart would end its guests, so nothing was touched"
    )]
    Guests {
        /// The container.
        container: String,
        /// What does not help.
        why: String,
    },
    /// The options are faulty.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// Who would have to read a file may not.
    #[error(
        "container '{container}': {program} (user {uid} on the host) may not read '{}'; nothing was touched", path.display()
    )]
    KeyNotReadable {
        /// The container.
        container: String,
        /// Who.
        program: String,
        /// As whom, as the host counts.
        uid: u32,
        /// The file, in the container.
        path: PathBuf,
    },
    /// The key belongs to another certificate.
    #[error("the key in '{}' does not belong to the certificate in '{}'; nothing was touched", key.display(), certificate.display())]
    KeyMismatch {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
    },
    /// Nobody listens any more where somebody did.
    #[error("nothing of the container listens at {at} any more")]
    ListenerGone {
        /// Where.
        at: std::net::SocketAddr,
    },
    /// Named containers that no engine has.
    #[error(
        "no engine has a container named {}; nothing was touched",
        quoted(names)
    )]
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// It has no name that a client could check.
    #[error("the certificate in '{}' has no subjectAltName, so no client can check its name; nothing was touched", path.display())]
    NoNames {
        /// Its file.
        path: PathBuf,
    },
    /// It belongs to no bundle, and `manager` is `pacemaker`.
    #[error("container '{container}': manager is pacemaker, and {why}; nothing was touched")]
    NoBundle {
        /// The container.
        container: String,
        /// What is missing.
        why: String,
    },
    /// Pacemaker would not restart it.
    #[error(
        "container '{container}': pacemaker would not restart its bundle: {why}; nothing was touched"
    )]
    NotByPacemaker {
        /// The container.
        container: String,
        /// What stands in the way, and what to do.
        why: String,
    },
    /// Pacemaker said that it had restarted it, and it is the same as before.
    #[error(
        "container '{container}': pacemaker said that it had restarted the bundle '{bundle}', and it was not"
    )]
    NotRestarted {
        /// The container.
        container: String,
        /// The bundle.
        bundle: String,
    },
    /// The unit cannot reload, or there is none.
    #[error("container '{container}': {why}; nothing was touched")]
    NoUnit {
        /// The container.
        container: String,
        /// What is missing.
        why: String,
    },
    /// A container does not run and must.
    #[error("container '{container}' does not run (it is {state}); nothing was touched")]
    NotRunning {
        /// The container.
        container: String,
        /// Its state.
        state: String,
    },
    /// The proof failed: the operator should look at the log lines.
    #[error(
        "container '{container}' does not serve the certificate {wanted} after {seconds} s: {served}; the last lines of its log: {log}"
    )]
    NotServed {
        /// The container.
        container: String,
        /// What must be served.
        wanted: Fingerprint,
        /// What each listener showed.
        served: String,
        /// How long was waited.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },
    /// It did not come up, or did not stay up.
    #[error("container '{container}' {what}; the last lines of its log: {log}")]
    NotUp {
        /// The container.
        container: String,
        /// What happened.
        what: String,
        /// The last lines of its log.
        log: String,
    },
    /// The certificate is not valid yet.
    #[error("the certificate in '{}' is not valid before {not_before}; nothing was touched", path.display())]
    NotYetValid {
        /// Its file.
        path: PathBuf,
        /// When.
        not_before: Timestamp,
    },
    /// Sockets or processes cannot be looked at.
    #[error(transparent)]
    Probe(#[from] tls_probe::Error),
    /// Only a new container would have the file.
    #[error("container '{container}' must be made anew: {why}; nothing was touched")]
    Recreate {
        /// The container.
        container: String,
        /// Why.
        why: String,
    },
    /// Another container has its name now.
    #[error(
        "container '{container}' was replaced while we worked: it was {was}, now it is {is}; run again"
    )]
    Replaced {
        /// The name.
        container: String,
        /// The old identity.
        was: String,
        /// The new one.
        is: String,
    },
    /// A command in the container failed.
    #[error("container '{container}': '{command}' ended with status {status}: {said}")]
    Step {
        /// The container.
        container: String,
        /// The command.
        command: String,
        /// Its status.
        status: i64,
        /// The last lines of what it said.
        said: String,
    },
    /// Its healthcheck says no.
    #[error(
        "container '{container}' is unhealthy after {action}; the last lines of its log: {log}"
    )]
    Unhealthy {
        /// The container.
        container: String,
        /// What had been done.
        action: String,
        /// The last lines of its log.
        log: String,
    },
    /// Nothing could prove what is served, and `unproven` is `fail`.
    #[error("nothing could prove what {} served", which(names))]
    Unproven {
        /// The containers.
        names: Vec<String>,
    },
    /// What is in a file is not what it should be.
    #[error("the {what} in '{}' cannot be used", path.display())]
    Unreadable {
        /// Certificate or private key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pki::Error,
    },
    /// `validate_command` says no.
    #[error(
        "container '{container}': '{command}' ended with status {status}, so nothing was done to it: {said}"
    )]
    Validation {
        /// The container.
        container: String,
        /// The command.
        command: String,
        /// Its status.
        status: i64,
        /// The last lines of what it said.
        said: String,
    },
}

impl Failure {
    /// The stable word for playbooks.
    pub fn word(&self) -> &str {
        match self {
            Self::BehindPacemaker { .. } => "cluster.managed",
            Self::ClusterUnknown { .. } => "cluster.unknown",
            Self::Container(error) => error.kind(),
            Self::EngineLost => "internal.engine",
            Self::Expired { .. } => "preflight.expired",
            Self::File { .. } => "preflight.file",
            Self::Guests { .. } => "container.guests",
            Self::Input(faults) => ansible_module::Failure::kind(faults),
            Self::KeyMismatch { .. } => "preflight.key_mismatch",
            Self::KeyNotReadable { .. } => "preflight.not_readable",
            Self::ListenerGone { .. } => "action.failed",
            Self::Missing { .. } => "container.missing",
            Self::NoNames { .. } => "preflight.no_names",
            Self::NoBundle { .. } => "container.no_bundle",
            Self::NoUnit { .. } => "container.no_unit",
            Self::NotByPacemaker { .. } => "cluster.refused",
            Self::NotRestarted { .. } => "cluster.failed",
            Self::NotRunning { .. } => "container.not_running",
            Self::NotServed { .. } => "verify.not_served",
            Self::NotUp { .. } => "verify.not_up",
            Self::NotYetValid { .. } => "preflight.not_yet_valid",
            Self::Probe(error) => error.kind(),
            Self::Recreate { .. } => "container.recreate",
            Self::Replaced { .. } => "container.replaced",
            Self::Step { .. } => "action.failed",
            Self::Unhealthy { .. } => "verify.unhealthy",
            Self::Unproven { .. } => "verify.unproven",
            Self::Unreadable { .. } => "preflight.unreadable",
            Self::Validation { .. } => "preflight.validation",
        }
    }

    /// What to do, where the message does not say it.
    pub fn advice(&self) -> Option<String> {
        let text = match self {
            Self::Container(error) => return error.hint().map(str::to_owned),
            Self::Guests { .. } => {
                "move the guests to another host, or set action: restart for this container"
            }
            Self::ClusterUnknown { .. } => {
                "see that 'crm_mon -1' works on this host, or say who restarts it with 'manager'"
            }
            Self::NotRestarted { .. } => "look at 'crm_mon -1' and at the journal of pacemaker",
            Self::KeyNotReadable { .. } => {
                "give the file an owner, group or mode that the user may read"
            }
            Self::KeyMismatch { .. } => {
                "renew both together; cert_request installs them as one set"
            }
            Self::Missing { .. } => "correct 'containers'; missing: skip takes what is there",
            Self::NotServed { .. } => {
                "look at the program's configuration: it may read its certificate elsewhere"
            }
            Self::Recreate { .. } => {
                "set sync: true, or have its deployment make the container anew"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

fn which(names: &[String]) -> String {
    format!(
        "container{} {}",
        if names.len() == 1 { "" } else { "s" },
        quoted(names)
    )
}
