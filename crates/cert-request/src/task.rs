// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: lock, observe, decide, (check mode answers here,) apply, answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ansible_module::{Control, Faults, Invocation, Module, OptionSpec, Outcome, each};
use pki::Timestamp;
use tls_files::{DirectoryLocks, Recovered};

use crate::apply::{Applied, Work};
use crate::collisions::collisions;
use crate::decide::{Action, Decision, decide, due};
use crate::failure::{EntryError, TaskError};
use crate::issuance::{Job, Loaded, jobs};
use crate::layout;
use crate::observe::{Observation, observe};
use crate::outcome::{EntryOutcome, answer, nothing_to_do};
use crate::params::{OPTIONS, Params};
use crate::request::{DesiredState, Entry, EntryName, IssuerSpec, Request};
use crate::state::PendingDir;

/// The module.
pub struct CertRequest;

impl Module for CertRequest {
    const NAME: &'static str = "cert_request";
    type Params = Params;
    type Failure = TaskError;

    fn options() -> &'static [OptionSpec] {
        OPTIONS
    }

    fn further_faults(params: Params) -> Faults {
        Request::try_from_params(&params).map_or_else(Faults::from, |_| Faults::new())
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, TaskError> {
        let request = Request::try_from_params(&invocation.params)?;
        let task = Task {
            request: &request,
            collisions: collisions(&request.entries),
            now: Timestamp::from(invocation.now),
            control: &invocation.control,
        };
        task.run()
    }
}

struct Task<'a> {
    request: &'a Request,
    collisions: BTreeMap<EntryName, EntryError>,
    now: Timestamp,
    control: &'a Control,
}

/// What a killed run had left, and where that could not be put right.
#[derive(Default)]
struct Recovery {
    done: Vec<Recovered>,
    broken: BTreeMap<PathBuf, EntryError>,
}

/// An entry on its way: observed and decided, or failed.
struct Step<'j, 'a> {
    job: &'j Job<'a>,
    seen: Observation,
    decision: Result<Decision, EntryError>,
}

impl<'a> Task<'a> {
    fn run(&self) -> Result<Outcome, TaskError> {
        if self.request.entries.is_empty() {
            return Ok(nothing_to_do());
        }
        let locks = if self.control.check_mode {
            None
        } else {
            Some(self.lock()?)
        };
        let recovery = if locks.is_some() {
            self.recover()
        } else {
            Recovery::default()
        };
        let outcomes = match self.request.state {
            DesiredState::Present => self.present(&recovery),
            DesiredState::Absent => self.absent(&recovery),
        };
        drop(locks);
        answer(&outcomes, &recovery.done)
    }

    /// Every directory in which something may be written, as far as it can be opened: one that cannot be spoils
    /// only the entries that name it, and they say why when they come to it.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let mut directories: BTreeSet<PathBuf> = BTreeSet::new();
        for entry in &self.request.entries {
            directories.extend(
                entry
                    .files
                    .iter()
                    .filter_map(|file| file.target.path.parent())
                    .map(Path::to_path_buf),
            );
        }
        if self.keeps_state() {
            directories.insert(self.request.state_dir.clone());
            let pending = |entry: &Entry| {
                PendingDir::new(&self.request.state_dir, &entry.name)
                    .path()
                    .to_path_buf()
            };
            directories.extend(self.request.entries.iter().map(pending));
        }
        directories.retain(|directory| can_be_opened(directory));
        directories
    }

    fn keeps_state(&self) -> bool {
        let is_external = |entry: &Entry| matches!(entry.issuer, IssuerSpec::External { .. });
        match self.request.state {
            DesiredState::Absent => self.request.state_dir.is_dir(),
            DesiredState::Present => self.request.entries.iter().any(is_external),
        }
    }

    fn lock(&self) -> Result<DirectoryLocks, TaskError> {
        Ok(DirectoryLocks::acquire(
            self.directories(),
            self.request.lock_timeout,
        )?)
    }

    fn recover(&self) -> Recovery {
        let mut recovery = Recovery::default();
        for directory in self.directories() {
            match tls_files::recover([directory.clone()]) {
                Ok(done) => recovery.done.extend(done),
                Err(error) => drop(recovery.broken.insert(directory, EntryError::from(error))),
            }
        }
        recovery
    }

    fn present(&self, recovery: &Recovery) -> Vec<EntryOutcome<'a>> {
        let jobs = jobs(&self.request.entries, self.now);
        let parallel = self.request.parallel;
        let steps = each(&jobs, parallel, |job| self.step(job, recovery));
        each(&steps, parallel, |step| self.finish(step))
    }

    fn step<'j>(&self, job: &'j Job<'a>, recovery: &Recovery) -> Step<'j, 'a> {
        let mut seen = Observation::default();
        let decision = self.look(job, recovery, &mut seen);
        Step {
            job,
            seen,
            decision,
        }
    }

    fn look(
        &self,
        job: &Job<'_>,
        recovery: &Recovery,
        seen: &mut Observation,
    ) -> Result<Decision, EntryError> {
        check_recovered(job.entry, recovery)?;
        if let Some(error) = self.collisions.get(&job.entry.name) {
            return Err(error.share());
        }
        let issuer = job.issuer.as_ref().map_err(EntryError::share)?;
        *seen = observe(job.entry, issuer, &self.request.state_dir)?;
        let decision = decide(job.entry, issuer, seen, self.now)?;
        if decision.action.changes() {
            for file in &job.entry.files {
                tls_files::check_destination(&file.target)?;
            }
        }
        if matches!(decision.action, Action::Issue(_) | Action::Request(_)) {
            issuer.issuer().prepare(self.now)?;
            layout::check_root(job.entry, issuer.issuer())?;
        }
        Ok(decision)
    }

    fn finish(&self, step: &Step<'_, 'a>) -> EntryOutcome<'a> {
        let entry = step.job.entry;
        let mut outcome = EntryOutcome::new(entry);
        outcome.before.clone_from(&step.seen.certificate);
        outcome.after.clone_from(&step.seen.certificate);
        let result = match (&step.decision, &step.job.issuer) {
            (Ok(decision), Ok(issuer)) => {
                self.act(entry, issuer, &step.seen, decision, &mut outcome)
            }
            (Err(error), _) | (_, Err(error)) => Err(error.share()),
        };
        if let Err(error) = result {
            outcome.action = "failed";
            outcome.failed = Some(error.of(entry.name.as_str()));
        }
        outcome
    }

    fn act(
        &self,
        entry: &Entry,
        issuer: &Loaded,
        seen: &Observation,
        decision: &Decision,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        outcome.reasons.clone_from(&decision.reasons);
        outcome.warnings.clone_from(&decision.warnings);
        outcome.renew_at = decision.renew_at;
        outcome.is_pending = matches!(decision.action, Action::Request(_) | Action::Wait(_));
        let work = Work {
            entry,
            issuer,
            seen,
            state_dir: &self.request.state_dir,
            now: self.now,
        };
        let applied = if self.control.check_mode {
            work.rehearse(decision)?;
            predicted(decision, seen)
        } else {
            work.apply(decision)?
        };
        outcome.action = decision.action.word();
        outcome.changed = decision.action.changes();
        outcome.is_renewed = matches!(decision.action, Action::Issue(_));
        if outcome.is_renewed {
            outcome.after.clone_from(&applied.certificate);
            outcome.renew_at = applied
                .certificate
                .as_ref()
                .map(|certificate| due(entry, certificate));
        }
        outcome.changed_files = applied.files;
        outcome.backups = applied.backups;
        outcome.csr = applied.csr;
        outcome.warnings.extend(applied.warnings);
        Ok(())
    }

    fn absent(&self, recovery: &Recovery) -> Vec<EntryOutcome<'a>> {
        each(&self.request.entries, self.request.parallel, |entry| {
            let mut outcome = EntryOutcome::new(entry);
            if let Err(error) = self.remove(entry, recovery, &mut outcome) {
                outcome.action = "failed";
                outcome.failed = Some(error.of(entry.name.as_str()));
            }
            outcome
        })
    }

    fn remove(
        &self,
        entry: &Entry,
        recovery: &Recovery,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        check_recovered(entry, recovery)?;
        let exists = |path: &PathBuf| path.symlink_metadata().is_ok();
        let paths: Vec<PathBuf> = entry
            .files
            .iter()
            .map(|file| file.target.path.clone())
            .filter(exists)
            .collect();
        let pending = PendingDir::new(&self.request.state_dir, &entry.name);
        let mut changed = !paths.is_empty() || pending.path().is_dir();
        if !self.control.check_mode {
            let is_discarded = pending.discard()?;
            outcome.changed_files = if paths.is_empty() {
                Vec::new()
            } else {
                tls_files::remove(entry.name.as_str(), &paths)?
            };
            changed = is_discarded || !outcome.changed_files.is_empty();
        }
        outcome.changed = changed;
        outcome.action = if changed { "remove" } else { "keep" };
        Ok(())
    }
}

/// Check mode: what apply would report, as far as it can be known.
fn predicted(decision: &Decision, seen: &Observation) -> Applied {
    let waits = matches!(decision.action, Action::Wait(_));
    let csr = seen
        .pending
        .as_ref()
        .filter(|_| waits)
        .map(|pending| pending.request.to_pem());
    Applied {
        csr,
        ..Applied::default()
    }
}

/// A set that is halfway must not be judged.
fn check_recovered(entry: &Entry, recovery: &Recovery) -> Result<(), EntryError> {
    let directories = entry
        .files
        .iter()
        .filter_map(|file| file.target.path.parent());
    match directories
        .into_iter()
        .find_map(|directory| recovery.broken.get(directory))
    {
        Some(error) => Err(error.share()),
        None => Ok(()),
    }
}

fn can_be_opened(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok()
}
