// SPDX-License-Identifier: Apache-2.0
//! The gentlest thing that helps, and what follows if it does not.

use std::net::SocketAddr;

use containers::kolla::Strategy;
use containers::processes::{Process, Signal};

use super::gentlest::{Helped, gentle_steps};
use super::{addresses, stale};
use crate::failure::Failure;
use crate::observe::{Candidate, Evidence, ReplicaSeen, Serving};
use crate::programs::{self, Call};
use crate::request::{ActionWish, Manager, Request};
use crate::talk::haproxy::Runtime;
use crate::talk::qemu::Guest;

/// What is done to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Refresh Kolla's copies first.
    pub sync: bool,
    /// Then this.
    pub steps: Vec<Step>,
    /// Then this, if the proof fails.
    pub then: Option<Through>,
    /// Why nothing follows if the proof fails, where that would be pacemaker's.
    pub held_back: Option<String>,
    /// Where the certificate must be served afterwards; empty if nothing can prove it.
    pub addresses: Vec<SocketAddr>,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An order to a running guest's monitor.
    Display {
        /// The guest.
        guest: Guest,
        /// libvirt's client, where libvirt holds the monitor.
        virsh: Option<String>,
    },
    /// The certificate is exchanged in HAProxy's memory.
    Exchange {
        /// Over these sockets.
        runtimes: Vec<Runtime>,
        /// What is done if HAProxy does not take it.
        otherwise: Option<(Signal, Process)>,
    },
    /// A command in the container.
    Execute(Call),
    /// The unit's reload.
    Reload,
    /// A restart.
    Restart(Through),
    /// A line that is said over TLS to a listener.
    Say {
        /// The line.
        line: &'static str,
        /// To whom.
        at: SocketAddr,
    },
    /// A signal.
    Signal {
        /// Which.
        signal: Signal,
        /// To whom.
        to: Process,
    },
    /// Nothing: the program looks by itself.
    Wait,
}

/// Who restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// The cluster, of whose bundle it is a replica.
    Bundle,
    /// The engine.
    Engine,
    /// The unit that owns the container.
    Unit,
}

impl Step {
    /// The word in results.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Display { .. } => "display",
            Self::Exchange { .. } => "exchange",
            Self::Execute(_) => "exec",
            Self::Reload => "reload",
            Self::Restart(_) => "restart",
            Self::Say { .. } => "say",
            Self::Signal { .. } => "signal",
            Self::Wait => "wait",
        }
    }
}

impl Act {
    /// Whether the first thing is a restart already.
    pub fn restarts(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Restart(_)))
    }
}

/// What to do to a container that serves something old, and why so.
pub(super) fn climb(
    request: &Request,
    candidate: &Candidate,
    evidence: &Evidence,
    wish: &ActionWish,
) -> Result<(Act, String), Failure> {
    let (through, barrier) = match through(request, candidate, evidence) {
        Ok(through) => (through, None),
        // What is gentle needs nobody's leave.
        Err(failure) if evidence.replica != ReplicaSeen::No => (Through::Bundle, Some(failure)),
        Err(failure) => return Err(failure),
    };
    let has_stale_copies = evidence.stale_copies().next().is_some();
    let (steps, why) = match wish {
        ActionWish::Auto | ActionWish::None => {
            let (steps, why) = automatic(request, candidate, evidence, through)?;
            spare_guests(candidate, evidence, &steps, &why)?;
            (steps, why)
        }
        ActionWish::Signal(signal) => {
            let to = target(request, candidate, evidence)?;
            let why = format!("{} to {} as the task wants it", signal.word(), to.program);
            (
                vec![Step::Signal {
                    signal: *signal,
                    to,
                }],
                why,
            )
        }
        ActionWish::Execute { command, user } => {
            let step = Step::Execute(Call {
                command: command.clone(),
                user: user.clone(),
                ..Call::default()
            });
            (vec![step], String::from("a command as the task wants it"))
        }
        ActionWish::Reload => (
            vec![reload(candidate, evidence)?],
            String::from("a reload as the task wants it"),
        ),
        ActionWish::Restart => (
            vec![Step::Restart(through)],
            String::from("a restart as the task wants it"),
        ),
    };
    let restarts = steps.iter().any(|step| matches!(step, Step::Restart(_)));
    let held_back = match barrier {
        Some(failure) if restarts => return Err(failure),
        barrier => barrier.filter(|_| request.escalate).map(reason),
    };
    let act = Act {
        sync: request.sync && has_stale_copies,
        steps,
        // Running guests are worth more than a certificate.
        then: (request.escalate && !restarts && held_back.is_none() && !evidence.has_guests())
            .then_some(through),
        held_back,
        addresses: addresses(request, candidate, evidence),
    };
    Ok((act, why))
}

/// Who restarts it. Where pacemaker runs it that is pacemaker, or nobody.
fn through(
    request: &Request,
    candidate: &Candidate,
    evidence: &Evidence,
) -> Result<Through, Failure> {
    let container = candidate.container.name.clone();
    match (request.manager, &evidence.replica) {
        (Manager::Auto | Manager::Pacemaker, ReplicaSeen::Yes(replica)) => {
            return match replica.obstacle() {
                None => Ok(Through::Bundle),
                Some(why) => Err(Failure::NotByPacemaker { container, why }),
            };
        }
        (Manager::Engine, ReplicaSeen::Yes(replica)) if replica.is_watched() => {
            return Err(Failure::BehindPacemaker {
                container,
                why: format!(
                    "it is of the bundle '{0}', and pacemaker takes a restart by the engine for a failure and may start it once more; \
                     leave 'manager' out, or take it out of pacemaker's hands first: crm_resource --resource {0} --meta \
                     --set-parameter is-managed --parameter-value false",
                    replica.bundle
                ),
            });
        }
        (Manager::Auto | Manager::Pacemaker, ReplicaSeen::Unknown(why))
            if evidence.unit.is_none() =>
        {
            let why = why.clone();
            return Err(Failure::ClusterUnknown { container, why });
        }
        (Manager::Pacemaker, _) => {
            let why = String::from("it is no replica of a bundle that pacemaker runs on this host");
            return Err(Failure::NoBundle { container, why });
        }
        _ => {}
    }
    match (request.manager, &evidence.unit) {
        (Manager::Engine, _) | (Manager::Auto, None) => Ok(Through::Engine),
        (_, Some(_)) => Ok(Through::Unit),
        (_, None) => Err(Failure::NoUnit {
            container,
            why: String::from("manager is systemd, and no active unit owns it"),
        }),
    }
}

/// A restart of its container ends a guest.
fn spare_guests(
    candidate: &Candidate,
    evidence: &Evidence,
    steps: &[Step],
    why: &str,
) -> Result<(), Failure> {
    let restarts = steps.iter().any(|step| matches!(step, Step::Restart(_)));
    if !evidence.has_guests() || !restarts {
        return Ok(());
    }
    Err(Failure::Guests {
        container: candidate.container.name.clone(),
        why: why.to_owned(),
    })
}

/// What a failure of [`through`] says besides that nothing was touched.
fn reason(failure: Failure) -> String {
    match failure {
        Failure::BehindPacemaker { why, .. }
        | Failure::ClusterUnknown { why, .. }
        | Failure::NotByPacemaker { why, .. } => why,
        other => ansible_module::flatten(&other),
    }
}

fn reload(candidate: &Candidate, evidence: &Evidence) -> Result<Step, Failure> {
    let no = |why: String| Failure::NoUnit {
        container: candidate.container.name.clone(),
        why,
    };
    match &evidence.unit {
        Some(unit) if unit.can_reload => Ok(Step::Reload),
        Some(unit) => Err(no(format!("its unit '{}' has no ExecReload", unit.name))),
        None => Err(no(String::from(
            "the action is reload, and no active unit owns it",
        ))),
    }
}

/// Who gets a signal that the task wants: the top of the program that serves, else the first process.
fn target(
    request: &Request,
    candidate: &Candidate,
    evidence: &Evidence,
) -> Result<Process, Failure> {
    let served = served_by(request, candidate, evidence);
    let top = served
        .first()
        .and_then(|program| programs::top(program, &evidence.processes));
    let found = top.or_else(|| evidence.processes.first()).cloned();
    found.ok_or_else(|| Failure::NotRunning {
        container: candidate.container.name.clone(),
        state: String::from("without a process"),
    })
}

/// The programs that serve something old; where nothing is served, those of the table.
fn served_by(request: &Request, candidate: &Candidate, evidence: &Evidence) -> Vec<String> {
    let mut names: Vec<String> = stale(request, candidate, evidence)
        .iter()
        .map(|each| each.program.clone())
        .collect();
    if names.is_empty() {
        let known = programs::tops(&evidence.processes).into_iter();
        names.extend(
            known
                .filter(|each| programs::serves_tls(&each.program))
                .map(|each| each.program.clone()),
        );
    }
    names.sort();
    names.dedup();
    names
}

fn automatic(
    request: &Request,
    candidate: &Candidate,
    evidence: &Evidence,
    through: Through,
) -> Result<(Vec<Step>, String), Failure> {
    let restart = |why: String| Ok((vec![Step::Restart(through)], why));
    if evidence.holds_on_to_old() {
        return restart(String::from(
            "the container holds on to the file that was replaced on the host, only a new start binds the new one",
        ));
    }
    if evidence.stale_copies().next().is_some() && !request.sync {
        if evidence.strategy == Some(Strategy::Once) {
            return Err(Failure::Recreate {
                container: candidate.container.name.clone(),
                why: String::from(
                    "KOLLA_CONFIG_STRATEGY is COPY_ONCE, so no restart copies the certificate again",
                ),
            });
        }
        return restart(String::from(
            "sync is false, and Kolla copies the certificate at each start",
        ));
    }
    let served = served_by(request, candidate, evidence);
    if served.is_empty() {
        return Ok(unknown(
            evidence,
            through,
            "no program is known that serves it",
        ));
    }
    let mut steps = Vec::new();
    let mut whys = Vec::new();
    let own_listeners = stale(request, candidate, evidence);
    for program in served {
        let listeners: Vec<&Serving> = own_listeners
            .iter()
            .copied()
            .filter(|each| each.program == program)
            .collect();
        match gentle_steps(&program, evidence, &listeners) {
            Helped::By(own, why) => {
                steps.extend(own);
                whys.push(why);
            }
            Helped::ByNothing(why) => return restart(why),
            Helped::Unknown => {
                let why = format!("nothing gentle is known for {program}");
                return Ok(unknown(evidence, through, &why));
            }
        }
    }
    Ok((steps, whys.join(", ")))
}

/// The unit's own reload where it has one: whoever wrote it knew the program.
fn unknown(evidence: &Evidence, through: Through, why: &str) -> (Vec<Step>, String) {
    match &evidence.unit {
        Some(unit) if unit.can_reload && through == Through::Unit => (
            vec![Step::Reload],
            format!("{why}, its unit '{}' can reload", unit.name),
        ),
        _ => (vec![Step::Restart(through)], why.to_owned()),
    }
}
