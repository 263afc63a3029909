// SPDX-License-Identifier: Apache-2.0
//! What is there: the certificate, the engines, the containers, and what points at their using it. Reads and probes
//! only, also in check mode; what cannot be read is never taken for absent.

mod bundles;
mod doors;
mod evidence;
mod serving;
mod wanted;

use containers::engine::{Engine, Search};
use containers::mounts::{self, Place};
use containers::{Container, State};

pub use bundles::ReplicaSeen;
pub use doors::{Database, Doors, Need};
pub use evidence::{CopySeen, Evidence, FileSeen, PlaceSeen, Reader};
pub use serving::{Eye, Look, Proof, Seen, Serving, Verdict};
pub(crate) use wanted::leaf;
pub use wanted::{KeySeen, Wanted};

use crate::failure::Failure;
use crate::request::{ContainerWish, Request, Selection};

/// The label by which a container says that it uses a certificate: paths or names, with commas between.
pub const LABEL: &str = "tls.everywhere.certificate";

/// Everything that a decision needs to know.
#[derive(Debug)]
pub struct Observed {
    /// What must be served.
    pub wanted: Wanted,
    /// Containers that may use it.
    pub candidates: Vec<Candidate>,
    /// Names that no engine knows.
    pub missing: Vec<String>,
}

/// A container that may use the certificate.
#[derive(Debug)]
pub struct Candidate {
    /// Which engine has it.
    pub engine: usize,
    /// The container.
    pub container: Container,
    /// Why it is looked at.
    pub selected: Selected,
    /// What the task says of it.
    pub wish: Option<ContainerWish>,
    /// What points at its using the certificate; `None` for one that does not run.
    pub evidence: Option<Evidence>,
    /// Containers that share its network.
    pub dependents: Vec<Container>,
}

/// Why a container is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// The task names it.
    Name,
    /// By its labels.
    Label,
    /// It mounts the file.
    Mount,
}

impl Selected {
    /// The word in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Label => "label",
            Self::Mount => "mount",
        }
    }
}

/// The engines of this host, and what looks at sockets.
#[derive(Debug)]
pub struct Host {
    /// Engines that answer.
    pub engines: Engines,
    /// Engines that do not.
    pub broken: Vec<containers::Error>,
    /// Who looks.
    pub eye: Eye,
}

/// Engines, by the number that candidates carry.
pub struct Engines(pub Vec<Box<dyn Engine>>);

impl std::fmt::Debug for Engines {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list()
            .entries(self.0.iter().map(|each| each.label().to_string()))
            .finish()
    }
}

impl Host {
    /// Finds the engines.
    pub fn find(request: &Request) -> Result<Self, Failure> {
        let found = containers::engine::find(&Search {
            kind: request.engine,
            socket: request.socket.clone(),
            user: request.user.clone(),
            limit: request.engine_timeout,
        })?;
        Ok(Self {
            engines: Engines(found.engines),
            broken: found.broken,
            eye: Eye::new()?,
        })
    }

    /// The engine of a candidate.
    pub fn engine(&self, number: usize) -> Result<&dyn Engine, Failure> {
        self.engines
            .0
            .get(number)
            .map(AsRef::as_ref)
            .ok_or(Failure::EngineLost)
    }
}

/// Looks at everything.
pub fn observe(request: &Request, host: &Host) -> Result<Observed, Failure> {
    let wanted = Wanted::read(request)?;
    let mut all = Vec::new();
    for (number, engine) in host.engines.0.iter().enumerate() {
        all.extend(engine.containers()?.into_iter().map(|each| (number, each)));
    }
    let (mut candidates, missing) = selected(request, &wanted, &all);
    look_closer(request, host, &wanted, &mut candidates)?;
    Ok(Observed {
        wanted,
        candidates,
        missing,
    })
}

/// The candidates, not looked into yet, and the names that nobody has.
fn selected(
    request: &Request,
    wanted: &Wanted,
    all: &[(usize, Container)],
) -> (Vec<Candidate>, Vec<String>) {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    match &request.selection {
        Selection::Named(wishes) => {
            for wish in wishes {
                let mut named = all
                    .iter()
                    .filter(|(_, each)| each.name == wish.name || each.id == wish.name)
                    .peekable();
                if named.peek().is_none() {
                    missing.push(wish.name.clone());
                }
                found.extend(named.map(|each| candidate(each, Selected::Name, Some(wish), all)));
            }
        }
        Selection::Labelled(labels) => {
            let has_all = |each: &Container| {
                labels.iter().all(|(key, value)| {
                    let own = each.labels.get(key);
                    own.is_some_and(|own| value.is_empty() || own == value)
                })
            };
            let chosen = all.iter().filter(|(_, each)| has_all(each));
            found.extend(chosen.map(|each| candidate(each, Selected::Label, None, all)));
        }
        Selection::Found => {
            for each in all {
                if is_labelled(request, &each.1) {
                    found.push(candidate(each, Selected::Label, None, all));
                } else if !places_of(wanted, &each.1).is_empty() {
                    found.push(candidate(each, Selected::Mount, None, all));
                }
            }
        }
    }
    (found, missing)
}

fn candidate(
    (engine, container): &(usize, Container),
    selected: Selected,
    wish: Option<&ContainerWish>,
    all: &[(usize, Container)],
) -> Candidate {
    let shares = |other: &&(usize, Container)| {
        other.0 == *engine
            && other.1.state == State::Running
            && other
                .1
                .network_of
                .as_ref()
                .is_some_and(|of| *of == container.id || *of == container.name)
    };
    Candidate {
        engine: *engine,
        container: container.clone(),
        selected,
        wish: wish.cloned(),
        evidence: None,
        dependents: all
            .iter()
            .filter(shares)
            .map(|(_, other)| other.clone())
            .collect(),
    }
}

fn is_labelled(request: &Request, container: &Container) -> bool {
    let Some(label) = container.labels.get(LABEL) else {
        return false;
    };
    label
        .split(',')
        .map(str::trim)
        .any(|word| word == request.name || std::path::Path::new(word) == request.certificate)
}

/// Where the certificate is in a container.
fn places_of(wanted: &Wanted, container: &Container) -> Vec<Place> {
    mounts::places(container, &wanted.certificate_path)
}

fn look_closer(
    request: &Request,
    host: &Host,
    wanted: &Wanted,
    candidates: &mut [Candidate],
) -> Result<(), Failure> {
    const AT_ONCE: usize = 16;
    let running: Vec<&Candidate> = candidates
        .iter()
        .filter(|each| each.container.state == State::Running)
        .collect();
    if running.is_empty() {
        return Ok(());
    }
    let snapshot = host.eye.snapshot()?;
    let looked = ansible_module::each(&running, AT_ONCE, |each| {
        let found = Evidence::gather(request, host, wanted, each, &snapshot);
        (each.container.id.clone(), found)
    });
    let mut by_id = std::collections::BTreeMap::new();
    for (id, found) in looked {
        by_id.insert(id, found?);
    }
    for each in candidates.iter_mut() {
        each.evidence = by_id.remove(&each.container.id);
    }
    bundles::look(request, host, candidates)
}
