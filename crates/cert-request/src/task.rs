// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: lock, observe, decide, (check mode answers here,) apply, answer.

mod acme;
mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ansible_module::{Control, Faults, Invocation, Module, OptionSpec, Outcome, each};
use certmonger::Start;
use pki::{Lifetime, Timestamp};
use tls_files::{DirectoryLocks, Recovered};

use crate::apply::{Applied, Work};
use crate::collisions::collisions;
use crate::decide::{Action, Decision, decide, due};
use crate::failure::{EntryError, TaskError};
use crate::issuance::{Job, Loaded, jobs};
use crate::kept::{Daemons, End, Item, Settled, carry_out, same_file};
use crate::layout;
use crate::observe::{Observation, observe};
use crate::ordered::{self, Place, Servers};
use crate::outcome::{EntryOutcome, answer, nothing_to_do};
use crate::params::{OPTIONS, Params};
use crate::request::{DesiredState, Entry, EntryName, IssuerSpec, Request};
use crate::signed::Servers as Vaults;
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
            daemons: daemons(&request, &invocation.control),
            servers: Servers::new(invocation.now),
            vaults: Vaults::new(invocation.now),
            now: Timestamp::from(invocation.now),
            begun: Instant::now(),
            control: &invocation.control,
        };
        task.run()
    }
}

/// What certmonger tracks, when an entry is about it. Check mode does not even start it.
#[expect(
    clippy::disallowed_methods,
    reason = "where D-Bus and certmonger listen is told by their own variables, and nowhere else"
)]
fn daemons(request: &Request, control: &Control) -> Daemons {
    let is_asked = |entry: &Entry| matches!(entry.issuer, IssuerSpec::Certmonger(_));
    if !request.entries.iter().any(is_asked) {
        return Daemons::default();
    }
    let start = if control.check_mode {
        Start::Never
    } else {
        Start::Allowed
    };
    let private = std::env::var("CERTMONGER_PVT_ADDRESS").ok();
    let bus = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok();
    Daemons::open(&request.entries, start, private.as_deref(), bus.as_deref())
}

struct Task<'a> {
    request: &'a Request,
    collisions: BTreeMap<EntryName, EntryError>,
    daemons: Daemons,
    servers: Servers,
    vaults: Vaults,
    now: Timestamp,
    /// When `now` was the present: waiting for certmonger takes time, and what it gives is younger than the task.
    begun: Instant,
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
            self.make_places()?;
            Some(self.lock(self.directories())?)
        };
        let recovery = if locks.is_some() {
            self.recover()
        } else {
            Recovery::default()
        };
        let locks = if locks.is_some() && self.waits_for_certmonger() {
            drop(locks);
            Some(self.lock(&self.directories() - &self.written_by_certmonger())?)
        } else {
            locks
        };
        let outcomes = match self.request.state {
            DesiredState::Present => self.present(&recovery),
            DesiredState::Absent => self.absent(&recovery),
        };
        drop(locks);
        answer(&outcomes, &recovery.done, self.vaults.close())
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
            directories.extend(self.places().map(|place| place.directory().to_path_buf()));
        }
        directories.extend(self.account_directories());
        directories.retain(|directory| can_be_opened(directory));
        directories
    }

    fn keeps_state(&self) -> bool {
        let has_state = |entry: &Entry| {
            matches!(
                entry.issuer,
                IssuerSpec::Acme(_) | IssuerSpec::External { .. }
            )
        };
        match self.request.state {
            DesiredState::Absent => self.request.state_dir.is_dir(),
            DesiredState::Present => self.request.entries.iter().any(has_state),
        }
    }

    /// While certmonger is waited for, what it runs after saving may be a task of ours that makes further files in the
    /// same directories, and would wait for us. Whoever changes a file there locks its directory for that moment.
    fn waits_for_certmonger(&self) -> bool {
        self.request.state == DesiredState::Present && self.request.entries.iter().any(is_kept)
    }

    fn written_by_certmonger(&self) -> BTreeSet<PathBuf> {
        let kept = self.request.entries.iter().filter(|entry| is_kept(entry));
        kept.flat_map(|entry| &entry.files)
            .filter_map(|file| file.target.path.parent())
            .map(Path::to_path_buf)
            .collect()
    }

    fn lock(&self, directories: BTreeSet<PathBuf>) -> Result<DirectoryLocks, TaskError> {
        Ok(DirectoryLocks::acquire(
            directories,
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
        let state_dir = &self.request.state_dir;
        let jobs = jobs(&self.request.entries, &self.daemons, state_dir, self.now);
        let parallel = self.request.parallel;
        let steps = each(&jobs, parallel, |job| self.step(job, recovery));
        let settled = self.settled(&steps);
        let ordered = self.ordered(&steps);
        each(&steps, parallel, |step| {
            let name = &step.job.entry.name;
            self.finish(step, settled.get(name), ordered.get(name))
        })
    }

    /// certmonger is asked for all of its certificates before any is waited for.
    fn settled(&self, steps: &[Step<'_, 'a>]) -> BTreeMap<EntryName, Settled> {
        if self.control.check_mode {
            return BTreeMap::new();
        }
        let items: Vec<Item<'_>> = steps
            .iter()
            .filter_map(|step| {
                let (Ok(decision), Ok(loaded)) = (&step.decision, &step.job.issuer) else {
                    return None;
                };
                let is_asked = matches!(
                    decision.action,
                    Action::Issue(_) | Action::Track | Action::Wait(_)
                );
                Some(Item {
                    entry: step.job.entry,
                    kept: loaded.kept().filter(|_| is_asked)?,
                    seen: &step.seen,
                    decision,
                })
            })
            .collect();
        let names = items.iter().map(|item| item.entry.name.clone());
        names.zip(carry_out(&items, &self.daemons)).collect()
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
        let mut decision = decide(job.entry, issuer, seen, self.now)?;
        if let Some(warning) = self.ask_when_to_renew(job.entry, &decision, seen) {
            decision = decide(job.entry, issuer, seen, self.now)?;
            decision.warnings.extend(warning);
        }
        let decision = self.ask_vault(job.entry, issuer, seen, decision)?;
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

    fn finish(
        &self,
        step: &Step<'_, 'a>,
        settled: Option<&Settled>,
        ordered: Option<&ordered::Settled>,
    ) -> EntryOutcome<'a> {
        let entry = step.job.entry;
        let mut outcome = EntryOutcome::new(entry);
        outcome.before.clone_from(&step.seen.certificate);
        outcome.after.clone_from(&step.seen.certificate);
        let result = match (&step.decision, &step.job.issuer) {
            (Ok(decision), Ok(Loaded::Vault(issuer))) if !self.control.check_mode => {
                self.sign_or_act(entry, issuer, step, decision, &mut outcome)
            }
            (Ok(decision), Ok(Loaded::Acme(issuer))) if ordered.is_some() => {
                self.take(entry, (issuer, ordered), &step.seen, decision, &mut outcome)
            }
            (Ok(decision), Ok(issuer)) => {
                self.act(entry, (issuer, settled), &step.seen, decision, &mut outcome)
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
        (issuer, settled): (&Loaded, Option<&Settled>),
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
            Self::foresee(entry, decision)?;
            let unknown = self.foresee_signing(entry, decision.action)?;
            outcome.warnings.extend(unknown);
            work.rehearse(decision)?;
            predicted(decision, seen)
        } else if let Some(settled) = settled {
            outcome.changed = settled.is_touched;
            return self.completed(&work, settled, decision, outcome);
        } else {
            work.apply(decision)?
        };
        report(entry, decision, applied, outcome);
        Ok(())
    }

    /// certmonger is through with it, or goes on without us: the files say what there is.
    fn completed(
        &self,
        work: &Work<'_>,
        settled: &Settled,
        decision: &Decision,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        match &settled.result {
            Err(error) => return Err(error.share()),
            Ok(End::Pending(waits_for)) => {
                outcome.action = if outcome.changed { "request" } else { "wait" };
                outcome.is_pending = true;
                outcome.warnings.push(format!("not there yet: {waits_for}"));
                return Ok(());
            }
            Ok(End::Done(request)) => outcome.warnings.extend(left_over(request)),
        }
        let Some(kept) = work.issuer.kept() else {
            return Ok(());
        };
        let issuer = Loaded::Certmonger(Box::new(kept.judged_by(settled.issuer.clone())));
        let seen = observe(work.entry, &issuer, work.state_dir)?;
        let applied = Work {
            seen: &seen,
            issuer: &issuer,
            // The begun second counts, for certificates have whole ones.
            now: self.now + Lifetime(self.begun.elapsed().as_secs() + 1),
            ..*work
        }
        .complete()?;
        outcome.is_pending = false;
        outcome.is_renewed = applied.certificate != work.seen.certificate;
        outcome.changed |= outcome.is_renewed || !applied.files.is_empty();
        outcome.action = match (outcome.is_renewed, decision.action, outcome.changed) {
            (true, _, _) => "issue",
            (false, _, false) => "keep",
            (false, action, true) => action.word(),
        };
        let certificate = applied.certificate.as_ref();
        outcome.renew_at = certificate.map(|certificate| due(work.entry, certificate, None));
        if outcome.is_renewed {
            let saved = work.entry.files.iter();
            let saved = saved.filter(|file| file.content.is_written_by_certmonger());
            outcome.changed_files = saved.map(|file| file.target.path.clone()).collect();
        }
        outcome.after.clone_from(&applied.certificate);
        outcome.changed_files.extend(applied.files);
        outcome.changed_files.dedup();
        outcome.backups = applied.backups;
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

    /// Before the files go: certmonger would write them again.
    fn stop_tracking(&self, entry: &Entry) -> Result<bool, EntryError> {
        let IssuerSpec::Certmonger(spec) = &entry.issuer else {
            return Ok(false);
        };
        let is_ours = |request: &certmonger::Tracked| {
            let file = request.cert_file.as_deref();
            file.is_some_and(|file| {
                entry
                    .files
                    .iter()
                    .any(|ours| same_file(file, &ours.target.path))
            })
        };
        Ok(self
            .daemons
            .stop_tracking(spec, is_ours, self.control.check_mode)?)
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
        let place = Place::new(&self.request.state_dir, entry);
        let is_ordered = place.all().iter().any(exists);
        let is_tracked = self.stop_tracking(entry)? | self.revoke_removed(entry)?;
        let mut changed = is_tracked || is_ordered || !paths.is_empty() || pending.path().is_dir();
        outcome.changed = is_tracked && !self.control.check_mode;
        if !self.control.check_mode {
            let is_discarded = pending.discard()? | place.discard()?;
            outcome.changed_files = if paths.is_empty() {
                Vec::new()
            } else {
                tls_files::remove(entry.name.as_str(), &paths)?
            };
            changed = is_tracked || is_discarded || !outcome.changed_files.is_empty();
        }
        outcome.changed = changed;
        outcome.action = if changed { "remove" } else { "keep" };
        Ok(())
    }
}

/// What was done, or would be.
fn report(entry: &Entry, decision: &Decision, applied: Applied, outcome: &mut EntryOutcome<'_>) {
    outcome.action = decision.action.word();
    outcome.changed |= decision.action.changes();
    outcome.is_renewed = matches!(decision.action, Action::Issue(_));
    if outcome.is_renewed {
        outcome.after.clone_from(&applied.certificate);
        let certificate = applied.certificate.as_ref();
        outcome.renew_at = certificate.map(|certificate| due(entry, certificate, None));
    }
    outcome.changed_files = applied.files;
    outcome.backups = applied.backups;
    outcome.csr = applied.csr;
    outcome.warnings.extend(applied.warnings);
}

fn is_kept(entry: &Entry) -> bool {
    matches!(entry.issuer, IssuerSpec::Certmonger(_))
}

/// An error that certmonger keeps beside a certificate that is as wished: its own last renewal failed.
fn left_over(request: &certmonger::Tracked) -> Option<String> {
    let said = request.ca_error.as_deref()?;
    Some(format!(
        "certmonger's last own renewal failed: {}",
        said.trim()
    ))
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
