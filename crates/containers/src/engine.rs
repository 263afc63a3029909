// SPDX-License-Identifier: Apache-2.0
//! Docker and Podman behind one trait.
//!
//! Docker's paths carry no version: 29 refuses versions below 1.44 and 20.10 those above 1.41, while the paths without
//! one mean the engine's own. Podman's need one and accept any: the one that it answers to `HEAD /_ping` with, which
//! also tells a Podman that sits behind Docker's socket.

mod api;
mod find;

mod podman;
mod rest;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Container, Result};

pub use find::{Found, Search, find};

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Docker, or what speaks its language.
    Docker,
    /// Podman.
    Podman,
}

impl Kind {
    /// The word of the option `engine`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// Where an engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Its socket.
    Socket(PathBuf),
    /// Its command line, as the user of that name if not as ours.
    Program(PathBuf, Option<String>),
}

/// For messages: `docker at /run/docker.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Which.
    pub kind: Kind,
    /// Where.
    pub address: Address,
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind.word())?;
        match &self.address {
            Address::Socket(path) => write!(out, " at '{}'", path.display()),
            Address::Program(path, None) => write!(out, " by its command '{}'", path.display()),
            Address::Program(path, Some(user)) => {
                write!(out, " of user '{user}' by its command '{}'", path.display())
            }
        }
    }
}

/// What a program in a container said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its exit status.
    pub status: i64,
    /// Both of its streams, in the order in which they came.
    pub output: Vec<u8>,
}

impl Executed {
    /// The last lines of what it said, in one.
    pub fn last_lines(&self, count: usize) -> String {
        crate::program::last_lines(&self.output, count)
    }
}

/// A program to be executed in a container.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a> {
    /// The program and its arguments.
    pub argv: &'a [String],
    /// As whom; the container's own user where nothing is said.
    pub user: Option<&'a str>,
    /// What it reads.
    pub input: &'a [u8],
    /// How long it may take.
    pub limit: Duration,
}

/// A container engine.
pub trait Engine: Send + Sync {
    /// Which, and where.
    fn label(&self) -> &Label;

    /// All containers, also those that do not run.
    fn containers(&self) -> Result<Vec<Container>>;

    /// One container by its identity or exact name; `None` if there is none.
    fn inspect(&self, name: &str) -> Result<Option<Container>>;

    /// Stops it, at most `grace` seconds politely (its own time where nothing is said), and starts it.
    ///
    /// Both engines also *start* a container that was stopped: look at its state before.
    fn restart(&self, container: &Container, grace: Option<u64>) -> Result<()>;

    /// Executes a program in it and waits for its end.
    fn execute(&self, container: &Container, execution: &Execution<'_>) -> Result<Executed>;

    /// The last lines of its log, in one.
    fn last_lines(&self, container: &Container, count: usize) -> Result<String>;
}
