// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between us and an engine, a container or systemd.

use std::io;
use std::path::PathBuf;

/// What this crate cannot do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine said something that is no answer; the operator should look at who listens there.
    #[error("{engine} gave no proper answer to '{request}': {why}")]
    Answer {
        /// Kind and address of the engine.
        engine: String,
        /// What was asked.
        request: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// Pacemaker said something that is no answer.
    #[error("pacemaker gave no proper answer to '{request}': {why}")]
    Cluster {
        /// What was asked.
        request: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// Nobody answers; the operator should start the engine, or name another socket.
    #[error("{engine} cannot be reached")]
    Down {
        /// Kind and address of the engine.
        engine: String,
        /// Why.
        source: io::Error,
    },
    /// The container that we looked at is not there any more.
    #[error("container '{name}' ({id}) is gone: it was removed or replaced meanwhile")]
    Gone {
        /// Its name.
        name: String,
        /// The identity that it had.
        id: String,
    },
    /// A file cannot be read or written in a container.
    #[error("cannot {what} '{}' in container '{container}'", path.display())]
    Inside {
        /// Read, replace and so on.
        what: &'static str,
        /// The file as the container names it.
        path: PathBuf,
        /// The container.
        container: String,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else holds the cluster's lock; the operator should see what they do.
    #[error("the lock '{name}' is held by {holder}; it did not come free within {seconds} s")]
    Locked {
        /// Its name.
        name: String,
        /// Who.
        holder: String,
        /// How long we waited.
        seconds: u64,
    },
    /// The cluster's lock went to somebody else.
    #[error("the lock '{name}' is not ours any more, it is held by {holder}")]
    LockLost {
        /// Its name.
        name: String,
        /// Who.
        holder: String,
    },
    /// A lock of the cluster is wanted where there is none.
    #[error("the lock '{name}' is pacemaker's, and no cluster runs on this host")]
    NoCluster {
        /// The lock.
        name: String,
    },
    /// No engine was found at all.
    #[error("no container engine was found; looked for {}", looked_for.join(", "))]
    NoEngine {
        /// Sockets and programs.
        looked_for: Vec<String>,
    },
    /// A program failed.
    #[error("'{command}' failed with status {status}: {said}")]
    Program {
        /// The command line.
        command: String,
        /// Its exit status, or the signal.
        status: String,
        /// The last lines of what it said.
        said: String,
    },
    /// A program cannot be started.
    #[error("cannot start '{command}'")]
    ProgramStart {
        /// The command line.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// The engine knows what we want and does not do it.
    #[error("{engine} refused to {request}: {why} (status {status})")]
    Refused {
        /// Kind and address of the engine.
        engine: String,
        /// What was asked.
        request: String,
        /// HTTP status.
        status: u16,
        /// In the engine's words.
        why: String,
    },
    /// Pacemaker could not stop or start a replica; the operator should look at the container's and pacemaker's logs.
    #[error("pacemaker could not {task} '{resource}' of the bundle '{bundle}': {why}")]
    Replica {
        /// The resource, which is also the container's name.
        resource: String,
        /// The bundle.
        bundle: String,
        /// `start` or `stop`.
        task: String,
        /// In the agent's words.
        why: String,
    },
    /// A process cannot be signalled.
    #[error("cannot send {signal} to process {pid} ({program})")]
    Signal {
        /// Name of the signal.
        signal: &'static str,
        /// On the host.
        pid: u32,
        /// Its name.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// No answer in time; the operator should look at the engine's log.
    #[error("{engine} did not answer '{request}' within {seconds} s")]
    Slow {
        /// Kind and address of the engine, or a command line.
        engine: String,
        /// What was asked.
        request: String,
        /// How long we waited.
        seconds: u64,
    },
}

/// Results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable word for playbooks.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "engine.answer",
            Self::Cluster { .. } => "cluster.answer",
            Self::Down { .. } => "engine.down",
            Self::Gone { .. } => "container.gone",
            Self::Inside { .. } => "container.file",
            Self::Locked { .. } => "lock.held",
            Self::LockLost { .. } => "lock.lost",
            Self::NoCluster { .. } => "cluster.none",
            Self::NoEngine { .. } => "engine.none",
            Self::Program { .. } | Self::ProgramStart { .. } => "program.failed",
            Self::Refused { .. } => "engine.refused",
            Self::Replica { .. } => "cluster.failed",
            Self::Signal { .. } => "container.signal",
            Self::Slow { .. } => "engine.slow",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Answer { .. } => {
                Some("look at who listens on that socket; 'socket' names another")
            }
            Self::Down { .. } => {
                Some("start the engine, or name the right one with 'engine' and 'socket'")
            }
            Self::Cluster { .. } => Some("look at 'crm_mon -1' and at the journal of pacemaker"),
            Self::Locked { .. } => {
                Some("see what they do; 'lock_timeout' waits longer, and the lock ends by itself")
            }
            Self::LockLost { .. } => {
                Some("give 'lock_ttl' more time than one container takes, and run again")
            }
            Self::Replica { .. } => Some(
                "correct what it needs to run, then have pacemaker try again: crm_resource --cleanup",
            ),
            Self::NoCluster { .. } => Some("start pacemaker, or set lock: none"),
            Self::NoEngine { .. } => {
                Some("name the engine's socket with 'socket', or its user with 'user'")
            }
            Self::Slow { .. } => {
                Some("look at the engine's log; 'engine_timeout' gives it more time")
            }
            _ => None,
        }
    }
}
