// SPDX-License-Identifier: Apache-2.0
//! What points at a container's using the certificate: where the file is in it, the copies that Kolla made, who listens
//! and what they serve.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use containers::inside::{InsideFile, Root};
use containers::kolla::{self, Copy, Strategy};
use containers::mounts::{self, Mounted, Place};
use containers::processes::Process;
use containers::units::{self, Unit};
use tls_probe::Processes;

use super::{
    Candidate, Doors, Host, Look, Need, ReplicaSeen, Selected, Serving, Wanted, places_of,
};
use crate::failure::Failure;
use crate::marker::Marker;
use crate::request::{Manager, Request, Verify};

/// What points at a container's using the certificate.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Where the certificate is in it.
    pub places: Vec<PlaceSeen>,
    /// Where its key is, if that is a file of its own.
    pub key_places: Vec<PlaceSeen>,
    /// Kolla's copies of both.
    pub copies: Vec<CopySeen>,
    /// When Kolla copies.
    pub strategy: Option<Strategy>,
    /// What its processes serve.
    pub serving: Vec<Serving>,
    /// Its processes, the first one first.
    pub processes: Vec<Process>,
    /// What the cluster says of it.
    pub replica: ReplicaSeen,
    /// The unit that owns it.
    pub unit: Option<Unit>,
    /// Ways to talk to its programs.
    pub doors: Doors,
    /// What was remembered of an unproven reload.
    pub marker: Option<Marker>,
    /// Who would have to read a file and may not.
    pub unreadable_for: Vec<Reader>,
    /// What could not be found out, and why; none of it hides that the container uses the certificate.
    pub gaps: Vec<String>,
}

/// A process that may not read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub program: String,
    /// Its user, as the host counts.
    pub uid: u32,
    /// The file, in the container.
    pub path: PathBuf,
}

/// A place of the file in a container, and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSeen {
    /// Where.
    pub place: Place,
    /// What is there.
    pub file: FileSeen,
}

/// What a container sees in the place of the host's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSeen {
    /// Nothing: another mount hides it, or a link leads out of what is mounted.
    Absent,
    /// Another file with the same content.
    Equal,
    /// Another file with other content, or none in a directory that is another: the container holds on to what was
    /// replaced on the host.
    Old,
    /// The host's file.
    Same,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

impl FileSeen {
    /// The word in results.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Equal => "equal",
            Self::Old => "old",
            Self::Same => "same",
            Self::Unreadable(_) => "unreadable",
        }
    }

    fn of(found: containers::Result<Option<InsideFile>>, host: &InsideFile) -> Self {
        match found {
            Ok(None) => Self::Absent,
            Ok(Some(file)) if file.identity == host.identity => Self::Same,
            Ok(Some(file)) if *file.content == *host.content => Self::Equal,
            Ok(Some(_)) => Self::Old,
            Err(error) => Self::Unreadable(ansible_module::flatten(&error)),
        }
    }
}

/// A copy that Kolla made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySeen {
    /// From where to where.
    pub copy: Copy,
    /// Of the certificate, or of its key.
    pub is_key: bool,
    /// Whether it is what the host's file is now.
    pub is_fresh: bool,
}

impl Evidence {
    /// Looks into a container that runs.
    pub fn gather(
        request: &Request,
        host: &Host,
        wanted: &Wanted,
        candidate: &Candidate,
        snapshot: &Processes,
    ) -> Result<Self, Failure> {
        let container = &candidate.container;
        let mut evidence = Self {
            strategy: Strategy::of(container),
            ..Self::default()
        };
        evidence.marker = Marker::read(&request.state_dir, container);
        evidence.processes = host.eye.members(container, snapshot)?;
        let root = match Root::of(container) {
            Ok(root) => Some(root),
            Err(error) => {
                evidence.gaps.push(ansible_module::flatten(&error));
                None
            }
        };
        if let Some(root) = &root {
            evidence.look_inside(wanted, candidate, root);
        }
        if request.verify != Verify::None {
            evidence.serving = host.eye.serving(&Look {
                request,
                wanted,
                processes: &evidence.processes,
                is_named: candidate.selected != Selected::Mount,
                silent: &[],
            })?;
        }
        if let Some(root) = &root {
            evidence.doors = Doors::find(
                root,
                &Need {
                    only_if: request.only_if,
                    wanted,
                    members: &evidence.processes,
                    serving: &evidence.serving,
                    is_to_be_refreshed: request.sync && evidence.stale_copies().next().is_some(),
                },
            );
        }
        if request.manager != Manager::Engine {
            let account = request.user.as_ref().map(|(_, account)| account);
            match units::owner(container, account, request.engine_timeout) {
                Ok(unit) => evidence.unit = unit,
                Err(error) => evidence.gaps.push(ansible_module::flatten(&error)),
            }
        }
        Ok(evidence)
    }

    fn look_inside(&mut self, wanted: &Wanted, candidate: &Candidate, root: &Root) {
        let container = &candidate.container;
        let at = |place: Place, host: &InsideFile| PlaceSeen {
            file: match FileSeen::of(root.read(&place.path), host) {
                FileSeen::Absent if is_replaced(&place, root) => FileSeen::Old,
                other => other,
            },
            place,
        };
        let certificate = places_of(wanted, container);
        self.places = certificate
            .into_iter()
            .map(|place| at(place, &wanted.file))
            .collect();
        if let (Some(path), Some(file)) = (&wanted.key_path, &wanted.key_file) {
            let places = mounts::places(container, path);
            self.key_places = places.into_iter().map(|place| at(place, file)).collect();
        }
        self.find_copies(wanted, root);
        self.find_readers(wanted, root);
    }

    fn find_copies(&mut self, wanted: &Wanted, root: &Root) {
        let certificate = self
            .places
            .iter()
            .map(|seen| (seen.place.path.clone(), false));
        let key = self
            .key_places
            .iter()
            .map(|seen| (seen.place.path.clone(), true));
        let sources: Vec<(PathBuf, bool)> = certificate.chain(key).collect();
        for (path, is_key) in sources {
            let found = match kolla::copies(root, &path) {
                Ok(Ok(found)) => found,
                Ok(Err(why)) => return self.gaps.push(why),
                Err(error) => return self.gaps.push(ansible_module::flatten(&error)),
            };
            let host = if is_key {
                wanted.key_file.as_ref()
            } else {
                Some(&wanted.file)
            };
            for copy in found {
                let now = root.read(&copy.destination).ok().flatten();
                let is_fresh = match (now, host) {
                    (Some(now), Some(host)) => *now.content == *host.content,
                    _ => false,
                };
                self.copies.push(CopySeen {
                    copy,
                    is_key,
                    is_fresh,
                });
            }
        }
    }

    /// Whether the processes that serve can read what they will have to: the top of each program that listens.
    fn find_readers(&mut self, wanted: &Wanted, root: &Root) {
        let copied: Vec<&Path> = self
            .copies
            .iter()
            .map(|seen| seen.copy.source.as_path())
            .collect();
        let direct = |seen: &&PlaceSeen| {
            matches!(seen.file, FileSeen::Same | FileSeen::Equal)
                && !copied.contains(&seen.place.path.as_path())
        };
        let mut paths: Vec<&Path> = self
            .places
            .iter()
            .filter(direct)
            .map(|seen| seen.place.path.as_path())
            .collect();
        paths.extend(
            self.key_places
                .iter()
                .filter(direct)
                .map(|seen| seen.place.path.as_path()),
        );
        // One that serves several certificates may read them through another place: only where there is just one.
        let is_clear =
            self.places.len() == 1 && self.key_places.len() <= 1 && wanted.file.content.len() > 1;
        let programs = crate::programs::tops(&self.processes);
        let known = programs
            .iter()
            .filter(|process| crate::programs::serves_tls(&process.program));
        for process in known {
            for path in paths.iter().filter(|_| is_clear) {
                match root.can_read(process, path) {
                    Ok(true) => {}
                    Ok(false) => self.unreadable_for.push(Reader {
                        program: process.program.clone(),
                        uid: process.uid,
                        path: (*path).to_owned(),
                    }),
                    Err(error) => self.gaps.push(ansible_module::flatten(&error)),
                }
            }
        }
    }

    /// Whether something names exactly this file: a mount of the file itself, or one of Kolla's copies.
    pub fn names_the_file(&self) -> bool {
        self.places
            .iter()
            .any(|seen| seen.place.what == Mounted::File)
            || !self.copies.is_empty()
    }

    /// Whether the container holds on to what was replaced on the host: only a new start binds what is there now.
    pub fn holds_on_to_old(&self) -> bool {
        let all = |places: &[PlaceSeen]| {
            !places.is_empty() && places.iter().all(|seen| seen.file == FileSeen::Old)
        };
        all(&self.places) || all(&self.key_places)
    }

    /// Whether virtual machines run in it, which a restart would end.
    pub fn has_guests(&self) -> bool {
        let mut programs = self.processes.iter().map(|each| each.program.as_str());
        programs.any(crate::talk::qemu::is_guest)
    }

    /// Whether somebody owns it who may make a new one of the same name.
    pub fn has_owner(&self) -> bool {
        self.unit.is_some() || self.replica.known().is_some()
    }

    /// Copies that are not what the host's file is now.
    pub fn stale_copies(&self) -> impl Iterator<Item = &CopySeen> {
        self.copies.iter().filter(|seen| !seen.is_fresh)
    }
}

/// Whether the mounted directory is not the one that is on the host now.
fn is_replaced(place: &Place, root: &Root) -> bool {
    let Ok(host) = place.source.metadata() else {
        return false;
    };
    let host = (host.dev(), host.ino());
    root.identity(&place.destination)
        .is_some_and(|inside| inside != host)
}
