// SPDX-License-Identifier: Apache-2.0
//! Which engines are on this host.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::podman::CommandLine;
use super::rest::Rest;
use super::{Address, Engine, Kind, Label, api};
use crate::http::Request;
use crate::program::{self, Account};
use crate::{Error, Result};

/// Docker's socket; `/var/run` is a link to `/run` where it matters.
const DOCKER: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];
const PODMAN: &str = "/run/podman/podman.sock";
/// A ping is answered from memory.
const PING_LIMIT: Duration = Duration::from_secs(10);

/// What to look for.
#[derive(Debug)]
pub struct Search {
    /// Only this one.
    pub kind: Option<Kind>,
    /// Only at this socket.
    pub socket: Option<PathBuf>,
    /// Only those that this user runs without being root.
    pub user: Option<(String, Account)>,
    /// How long an engine may take to answer.
    pub limit: Duration,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Engines that answer.
    pub engines: Vec<Box<dyn Engine>>,
    /// Engines that are there and do not.
    pub broken: Vec<Error>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels: Vec<String> = self
            .engines
            .iter()
            .map(|each| each.label().to_string())
            .collect();
        out.debug_struct("Found")
            .field("engines", &labels)
            .field("broken", &self.broken)
            .finish()
    }
}

/// Finds the engines.
///
/// # Errors
/// [`Error::NoEngine`] if there is none at all; that of the engine if the one that was asked for, or the only one, does
/// not answer.
pub fn find(search: &Search) -> Result<Found> {
    let mut found = Found::default();
    let mut looked_for = Vec::new();
    for (kind, socket) in sockets(search) {
        looked_for.push(format!("'{}'", socket.display()));
        match open(kind, &socket, search.limit) {
            Ok(engine) => found.engines.push(engine),
            Err(Error::Down { source, .. })
                if source.kind() == ErrorKind::NotFound && search.socket.is_none() => {}
            Err(error) => found.broken.push(error),
        }
    }
    let has_podman = found
        .engines
        .iter()
        .any(|each| each.label().kind == Kind::Podman);
    if !has_podman && search.kind != Some(Kind::Docker) && search.socket.is_none() {
        looked_for.push(String::from("the program 'podman'"));
        if let Some(podman) = program::find("podman") {
            let engine = CommandLine::new(podman, search.user.clone(), search.limit);
            found.engines.push(Box::new(engine));
        }
    }
    if !found.engines.is_empty() {
        return Ok(found);
    }
    match found.broken.into_iter().next() {
        Some(error) => Err(error),
        None => Err(Error::NoEngine { looked_for }),
    }
}

/// Where engines may listen. A link to a socket that is in the list already is the same engine.
fn sockets(search: &Search) -> Vec<(Kind, PathBuf)> {
    if let Some(socket) = &search.socket {
        return vec![(search.kind.unwrap_or(Kind::Docker), socket.clone())];
    }
    let places: Vec<(Kind, PathBuf)> = match &search.user {
        Some((_, account)) => {
            let own = PathBuf::from(format!("/run/user/{}", account.uid));
            vec![
                (Kind::Docker, own.join("docker.sock")),
                (Kind::Podman, own.join("podman/podman.sock")),
            ]
        }
        None => {
            let docker = DOCKER.map(|path| (Kind::Docker, PathBuf::from(path)));
            docker
                .into_iter()
                .chain([(Kind::Podman, PathBuf::from(PODMAN))])
                .collect()
        }
    };
    let mut seen: Vec<PathBuf> = Vec::new();
    let wished = |kind: Kind| search.kind.is_none_or(|wish| wish == kind);
    places
        .into_iter()
        .filter(|(kind, path)| {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let is_new = !seen.contains(&real);
            seen.push(real);
            wished(*kind) && is_new
        })
        .collect()
}

/// Asks who is there: Podman says so, also behind Docker's socket.
fn open(kind: Kind, socket: &Path, limit: Duration) -> Result<Box<dyn Engine>> {
    let label = Label {
        kind,
        address: Address::Socket(socket.to_owned()),
    };
    let request = Request {
        method: "HEAD",
        path: "/_ping",
        body: None,
        input: None,
    };
    let reply = api::ask(&label, socket, &request, limit.min(PING_LIMIT))?;
    let version = reply
        .header("Libpod-Api-Version")
        .filter(|version| is_version(version));
    match version {
        Some(version) => Ok(Box::new(Rest::libpod(socket.to_owned(), version, limit))),
        None if reply.header("Api-Version").is_some() || reply.status == 200 => {
            Ok(Box::new(Rest::docker(socket.to_owned(), limit)))
        }
        None => Err(Error::Answer {
            engine: label.to_string(),
            request: request.to_string(),
            why: format!("it has status {}", reply.status),
        }),
    }
}

/// It becomes part of every path.
fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}
