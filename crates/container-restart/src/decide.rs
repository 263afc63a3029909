// SPDX-License-Identifier: Apache-2.0
//! What to do to each container: a pure function of the request and of what was observed.
//!
//! Three questions, in this order: does it run; does it use the certificate, and is what it serves old; and what is the
//! gentlest thing that helps. A mount is not use: a container that mounts the directory and serves nothing of it is
//! left alone.

mod gentlest;
mod ladder;

use std::net::SocketAddr;

use containers::{Container, State};

use crate::failure::Failure;
use crate::observe::{Candidate, Evidence, Observed, Selected, Serving, Verdict, Wanted};
use crate::request::{ActionWish, OnlyIf, Request, Severity};

pub use ladder::{Act, Step, Through};

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    /// For each candidate, in their order.
    pub entries: Vec<Entry>,
    /// Why nothing at all may be done.
    pub refusals: Vec<(String, Failure)>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

impl Plan {
    /// The numbers of the candidates that are to be acted on, and how.
    pub fn acts(&self) -> impl Iterator<Item = (usize, &Act)> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(number, entry)| match &entry.decision {
                Decision::Act(act) => Some((number, act)),
                _ => None,
            })
    }
}

/// What is to be done to one container, and why.
#[derive(Debug)]
pub struct Entry {
    /// What.
    pub decision: Decision,
    /// Why, as a fact.
    pub why: String,
}

/// What is to be done to one container.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Something.
    Act(Act),
    /// It serves the certificate already, or began after it was written.
    Fresh,
    /// It is not looked into, or the task wants nothing done.
    Skip,
    /// It does not use the certificate.
    Unrelated,
}

impl Decision {
    /// The word in results.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Act(_) => "act",
            Self::Fresh => "fresh",
            Self::Skip => "skip",
            Self::Unrelated => "unrelated",
        }
    }
}

/// Decides for all candidates.
pub fn decide(request: &Request, observed: &Observed) -> Plan {
    let mut plan = Plan {
        entries: Vec::new(),
        refusals: Vec::new(),
        warnings: Vec::new(),
    };
    plan.absent(request, observed);
    for candidate in &observed.candidates {
        let entry = plan.entry(request, &observed.wanted, candidate);
        plan.entries.push(entry);
    }
    plan
}

impl Plan {
    fn absent(&mut self, request: &Request, observed: &Observed) {
        if observed.missing.is_empty() {
            return;
        }
        let names = observed.missing.clone();
        match request.missing {
            Severity::Fail => self
                .refusals
                .push((names.join(", "), Failure::Missing { names })),
            Severity::Warn => self.warnings.push(format!(
                "there is no container named '{}'",
                names.join("', '")
            )),
            Severity::Skip => {}
        }
    }

    fn entry(&mut self, request: &Request, wanted: &Wanted, candidate: &Candidate) -> Entry {
        let container = &candidate.container;
        let Some(evidence) = candidate
            .evidence
            .as_ref()
            .filter(|_| container.state == State::Running)
        else {
            return self.at_rest(request, candidate);
        };
        let standing = standing(request, wanted, candidate, evidence);
        let wish = candidate
            .wish
            .as_ref()
            .and_then(|wish| wish.action.as_ref())
            .unwrap_or(&request.action);
        match standing {
            Standing::Fresh(why) => Entry {
                decision: Decision::Fresh,
                why,
            },
            Standing::Unrelated(why) => Entry {
                decision: Decision::Unrelated,
                why,
            },
            Standing::Stale(why) if *wish == ActionWish::None => Entry {
                decision: Decision::Skip,
                why: format!("{why}; the action is none"),
            },
            Standing::Stale(why) => match ladder::climb(request, candidate, evidence, wish) {
                Ok((act, how)) => Entry {
                    decision: Decision::Act(act),
                    why: format!("{why}; {how}"),
                },
                Err(failure) => {
                    let text = ansible_module::flatten(&failure);
                    self.refusals.push((container.name.clone(), failure));
                    Entry {
                        decision: Decision::Skip,
                        why: text,
                    }
                }
            },
        }
    }

    /// A container that does not run is never started: whoever stopped it had a reason, and its next start reads the
    /// new file anyway.
    fn at_rest(&mut self, request: &Request, candidate: &Candidate) -> Entry {
        let container = &candidate.container;
        let why = match &container.state {
            State::Paused => String::from("it is paused"),
            State::Restarting => format!(
                "it is in a restart loop: it ended with status {} and was started {} times",
                container.exit_code, container.restart_count
            ),
            State::Stopped(word) => {
                format!("it does not run, it is {word}; its next start reads the new file")
            }
            State::Running => String::from("it ended while we looked"),
        };
        match request.not_running {
            // What was only found need not run.
            Severity::Fail if candidate.selected != Selected::Mount => {
                let failure = Failure::NotRunning {
                    container: container.name.clone(),
                    state: container.state.word().to_owned(),
                };
                self.refusals.push((container.name.clone(), failure));
            }
            Severity::Warn => self.warnings.push(format!(
                "container '{}' is left alone: {why}",
                container.name
            )),
            Severity::Fail | Severity::Skip => {}
        }
        Entry {
            decision: Decision::Skip,
            why,
        }
    }
}

/// Whether a container uses the certificate, and what it serves.
enum Standing {
    Fresh(String),
    Stale(String),
    Unrelated(String),
}

fn standing(
    request: &Request,
    wanted: &Wanted,
    candidate: &Candidate,
    evidence: &Evidence,
) -> Standing {
    let stale = stale(request, candidate, evidence);
    let served = evidence
        .serving
        .iter()
        .find(|each| each.verdict() == Some(Verdict::New));
    let is_user = candidate.selected != Selected::Mount || evidence.names_the_file();
    let uses = is_user || !stale.is_empty() || served.is_some();
    if !uses {
        return Standing::Unrelated(unrelated(evidence));
    }
    let stale_why = stale.first().map(|each| {
        let fingerprint = each
            .fingerprint()
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{} at {} serves {fingerprint}", each.program, each.at)
    });
    match request.only_if {
        OnlyIf::Always => {
            Standing::Stale(stale_why.unwrap_or_else(|| String::from("only_if is always")))
        }
        OnlyIf::Newer => by_age(wanted, &candidate.container, evidence),
        OnlyIf::Stale => match (stale_why, served) {
            (Some(why), _) => Standing::Stale(why),
            (None, Some(served)) => Standing::Fresh(format!(
                "{} at {} serves it already",
                served.program, served.at
            )),
            (None, None) => by_age(wanted, &candidate.container, evidence),
        },
    }
}

/// Listeners that serve what the certificate takes the place of.
///
/// Another certificate for the same names is what it replaces only if something else says so too: every service of a
/// host may have a certificate of its own for the host's one name.
fn stale<'a>(request: &Request, candidate: &Candidate, evidence: &'a Evidence) -> Vec<&'a Serving> {
    let same_names_count = request.replaces.is_empty()
        || candidate.selected != Selected::Mount
        || evidence.names_the_file();
    let counts = |each: &&Serving| match each.verdict() {
        Some(Verdict::Replaced) => true,
        Some(Verdict::SameNames) => same_names_count,
        Some(Verdict::New | Verdict::Other) | None => false,
    };
    evidence.serving.iter().filter(counts).collect()
}

/// Nothing that is served tells: what is left is time.
fn by_age(wanted: &Wanted, container: &Container, evidence: &Evidence) -> Standing {
    if let Some(copy) = evidence.stale_copies().next() {
        return Standing::Stale(format!(
            "its copy '{}' is old",
            copy.copy.destination.display()
        ));
    }
    if evidence
        .marker
        .as_ref()
        .is_some_and(|marker| marker.knows(&wanted.fingerprint))
    {
        return Standing::Fresh(String::from(
            "it was reloaded for this certificate in an earlier run",
        ));
    }
    match container.started_at {
        Some(started) if wanted.file.changed > started => Standing::Stale(format!(
            "it began at {started}, before the file changed at {}",
            wanted.file.changed
        )),
        Some(started) => Standing::Fresh(format!("it began at {started}, after the file changed")),
        None => Standing::Stale(String::from("when it began is not known")),
    }
}

fn unrelated(evidence: &Evidence) -> String {
    let shown = evidence
        .serving
        .iter()
        .filter(|each| each.fingerprint().is_some())
        .count();
    let mounted = evidence.places.first();
    let mounted = mounted
        .map(|seen| seen.place.source.display().to_string())
        .unwrap_or_default();
    if shown == 0 {
        format!(
            "it mounts '{mounted}' and serves no certificate; name it in 'containers' if it uses this one as a client"
        )
    } else {
        format!("it mounts '{mounted}', but what it serves are other certificates")
    }
}

/// Where the certificate must be served once something was done: where it was served before.
fn addresses(request: &Request, candidate: &Candidate, evidence: &Evidence) -> Vec<SocketAddr> {
    let new = evidence
        .serving
        .iter()
        .filter(|each| each.verdict() == Some(Verdict::New));
    let mut found: Vec<SocketAddr> = new.map(|each| each.at).collect();
    found.extend(
        stale(request, candidate, evidence)
            .iter()
            .map(|each| each.at),
    );
    found.sort();
    found
}

#[cfg(test)]
mod tests;
