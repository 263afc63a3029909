// SPDX-License-Identifier: Apache-2.0
//! Acts on the containers of a plan, some at a time, and stops at the first failure: whoever was not reached stays on
//! the old certificate, which is still valid. That is the way back that works for a module which does not own it.

mod act;
mod prove;
mod sync;
mod told;

use std::time::{Duration, Instant};

use containers::Container;
use containers::pacemaker::lock::Lock;

use crate::decide::{Act, Plan};
use crate::failure::Failure;
use crate::marker::Marker;
use crate::observe::{Candidate, Host, Observed, Serving, Wanted};
use crate::request::Request;

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// Containers that were reached, by the number of the candidate.
    pub reached: Vec<(usize, Done)>,
    /// Containers that were not.
    pub untouched: Vec<usize>,
    /// Why no further one was begun, where it is none of the containers' fault.
    pub stopped: Option<Failure>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// What was done to one container.
#[derive(Debug, Default)]
pub struct Done {
    /// Words of what was done, in order.
    pub actions: Vec<String>,
    /// Whether it was restarted.
    pub restarted: bool,
    /// Whether it is on another node now.
    pub moved: bool,
    /// The container afterwards.
    pub container: Option<Container>,
    /// What it served in the last proof.
    pub after: Vec<Serving>,
    /// Whether the proof succeeded.
    pub proven: bool,
    /// How long all of it took.
    pub took: Duration,
    /// Containers of its network that were restarted after it.
    pub dependents: Vec<String>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub failed: Option<Failure>,
}

impl Done {
    /// Whether anything was done.
    pub fn changed(&self) -> bool {
        self.actions.iter().any(|action| action != "wait")
    }
}

/// What all steps need.
struct Work<'a> {
    request: &'a Request,
    host: &'a Host,
    wanted: &'a Wanted,
    candidate: &'a Candidate,
    act: &'a Act,
}

/// Acts. A lock is held for another while before each further step.
pub fn apply(
    request: &Request,
    host: &Host,
    observed: &Observed,
    plan: &Plan,
    mut lock: Option<&mut Lock>,
) -> Applied {
    let mut applied = Applied::default();
    let acts: Vec<(usize, &Act)> = plan.acts().collect();
    let mut failures = 0;
    for batch in acts.chunks(request.serial) {
        if let (false, Some(lock), None) =
            (applied.reached.is_empty(), lock.as_mut(), &applied.stopped)
        {
            applied.stopped = lock.prolong().err().map(Failure::from);
        }
        if failures > request.max_failures || applied.stopped.is_some() {
            applied
                .untouched
                .extend(batch.iter().map(|(number, _)| *number));
            continue;
        }
        let done = ansible_module::each(batch, request.serial, |(number, act)| {
            let candidate = observed.candidates.get(*number)?;
            let work = Work {
                request,
                host,
                wanted: &observed.wanted,
                candidate,
                act,
            };
            Some((*number, work.perform()))
        });
        for (number, done) in done.into_iter().flatten() {
            failures += usize::from(done.failed.is_some());
            applied.reached.push((number, done));
        }
    }
    applied
}

/// `validate_command` in every container that is to be acted on, before anything is done to any. Where copies must be
/// refreshed first it would look at the old ones: there it runs after that.
pub fn validate(
    request: &Request,
    host: &Host,
    observed: &Observed,
    plan: &Plan,
) -> Vec<(String, Failure)> {
    let mut found = Vec::new();
    for (number, act) in plan.acts().filter(|(_, act)| !act.sync) {
        let Some(candidate) = observed.candidates.get(number) else {
            continue;
        };
        let work = Work {
            request,
            host,
            wanted: &observed.wanted,
            candidate,
            act,
        };
        if let Err(failure) = work.validate() {
            found.push((candidate.container.name.clone(), failure));
        }
    }
    found
}

impl Work<'_> {
    fn perform(&self) -> Done {
        let began = Instant::now();
        let mut done = Done::default();
        if let Err(failure) = self.walk(&mut done) {
            done.failed = Some(failure);
        }
        done.took = began.elapsed();
        done
    }

    fn walk(&self, done: &mut Done) -> Result<(), Failure> {
        let now = self.same_life()?;
        done.container = Some(now);
        self.refresh(done)?;
        let stepped = self.steps(done);
        let proven = stepped.and_then(|()| self.prove(done));
        match (proven, self.act.then) {
            (Ok(()), _) => {}
            // It would take down what still serves the old pair.
            (Err(failure @ Failure::KeyMismatch { .. }), _) => return Err(failure),
            (Err(failure), Some(through)) => {
                done.warnings.push(format!(
                    "container '{}' is restarted, because something gentler did not help: {}",
                    self.candidate.container.name,
                    ansible_module::flatten(&failure)
                ));
                self.restart(through, done)?;
                self.prove(done)?;
            }
            (Err(failure), None) => {
                done.warnings.extend(self.act.held_back.iter().map(|why| {
                    let name = &self.candidate.container.name;
                    format!("container '{name}' is not restarted, though something gentler did not help: {why}")
                }));
                return Err(failure);
            }
        }
        self.hold(done)?;
        self.follow_up(done);
        Ok(())
    }

    /// What a later run must know, and what hangs on this container.
    fn follow_up(&self, done: &mut Done) {
        if !done.proven
            && let Some(container) = &done.container
        {
            let kept =
                Marker::remember(&self.request.state_dir, container, &self.wanted.fingerprint);
            if let Err(error) = kept {
                done.warnings.push(format!(
                    "cannot remember in '{}' that '{}' was reloaded ({error}); the next run will do it again",
                    self.request.state_dir.display(),
                    container.name
                ));
            }
        }
    }

    /// The container as it is now: the evidence must still be about it.
    fn same_life(&self) -> Result<Container, Failure> {
        let old = &self.candidate.container;
        let engine = self.host.engine(self.candidate.engine)?;
        if let Some(now) = engine.inspect(&old.id)? {
            return if now.pid.is_some() {
                Ok(now)
            } else {
                Err(Failure::NotRunning {
                    container: old.name.clone(),
                    state: now.state.word().to_owned(),
                })
            };
        }
        self.replaced()
    }

    /// Its identity is gone: who has its name now?
    fn replaced<T>(&self) -> Result<T, Failure> {
        let old = &self.candidate.container;
        let engine = self.host.engine(self.candidate.engine)?;
        Err(match engine.inspect(&old.name)? {
            Some(other) => Failure::Replaced {
                container: old.name.clone(),
                was: old.short_id().to_owned(),
                is: other.short_id().to_owned(),
            },
            None => containers::Error::Gone {
                name: old.name.clone(),
                id: old.short_id().to_owned(),
            }
            .into(),
        })
    }

    /// The last lines of its log, for a message.
    fn log(&self) -> String {
        const LINES: usize = 5;
        let engine = self.host.engine(self.candidate.engine);
        let lines =
            engine.and_then(|engine| Ok(engine.last_lines(&self.candidate.container, LINES)?));
        match lines {
            Ok(text) if text.is_empty() => String::from("(nothing)"),
            Ok(text) => text,
            Err(failure) => format!("(cannot be read: {})", ansible_module::flatten(&failure)),
        }
    }
}
