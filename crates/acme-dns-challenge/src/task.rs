// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: locks, observe, ask when to renew, decide, (check mode answers here,) the steps, answer.

pub mod authority;
mod existing;
mod foreign;
mod install;
mod of_account;

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use acme::{Identifier, RenewalInfo};
use ansible_module::{Control, Faults, Invocation, Module, OptionSpec, Outcome, each};
use dns::publish::Publisher;
use pki::{Certificate, Timestamp};
use tls_files::DirectoryLocks;

use self::authority::Asked;
use self::install::Installed;
use crate::account::{Missing, Opened};
use crate::decide::{Decision, decide};
use crate::failure::{CertificateError, TaskError};
use crate::observe::{self, Seen, observe};
use crate::outcome::{CertificateOutcome, Surroundings, answer};
use crate::params::{OPTIONS, Params};
use crate::records::Dns;
use crate::request::{CertificateWish, Phase, Request};
use crate::steps::{Due, Progress, Steps, Taken};

/// How much longer than it may ask the server itself a task waits for another one with the same files: names are also
/// published.
const LOCK_GRACE: Duration = Duration::from_secs(300);

/// The module.
pub struct AcmeDnsChallenge;

impl Module for AcmeDnsChallenge {
    const NAME: &'static str = "acme_dns_challenge";
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
            control: &invocation.control,
            now: invocation.now,
        };
        match request.phase {
            Phase::All | Phase::Request | Phase::Complete => task.run(),
            Phase::Publish | Phase::Wait | Phase::Cleanup => task.foreign_records(),
            Phase::Revoke => task.revoke(),
            Phase::DeactivateAuthz => task.release(),
            Phase::Rollover | Phase::DeactivateAccount => task.of_account(),
        }
    }
}

/// What ordering needs.
type Ready = (Option<Box<dyn Publisher + Sync>>, Opened);

struct Task<'a> {
    request: &'a Request,
    control: &'a Control,
    now: SystemTime,
}

/// One certificate on its way.
struct Item<'a> {
    wish: &'a CertificateWish,
    seen: Result<Seen, CertificateError>,
    info: Option<RenewalInfo>,
    decision: Option<Decision>,
}

impl Item<'_> {
    fn outcome(&self) -> CertificateOutcome {
        let mut outcome = CertificateOutcome::new(&self.wish.name);
        match &self.seen {
            Ok(seen) => outcome.chain.clone_from(&seen.current),
            Err(error) => fail(&mut outcome, error),
        }
        match &self.decision {
            Some(Decision::Keep { renew_at } | Decision::Repair { renew_at }) => {
                outcome.renew_at = Some(*renew_at);
            }
            Some(Decision::Order(reasons)) => outcome.reasons.clone_from(reasons),
            None => {}
        }
        outcome
    }
}

fn fail(outcome: &mut CertificateOutcome, error: &CertificateError) {
    outcome.status = "failed";
    outcome.failed = Some(error.of(&outcome.name));
    if let CertificateError::Acme(error) = error {
        outcome.retry_at = error.retry_at();
        outcome.problem = error.problem_kind().map(|kind| kind.as_str().to_owned());
        let failed = error.failed_identifiers();
        outcome.failed_identifiers = failed
            .iter()
            .map(|name| {
                serde_json::json!({
                    "identifier": name.identifier.to_string(),
                    "type": name.kind.as_str(),
                    "detail": name.detail,
                })
            })
            .collect();
    }
}

impl Task<'_> {
    fn run(&self) -> Result<Outcome, TaskError> {
        if self.request.certificates.is_empty() {
            return answer(self.request.phase, &[], Surroundings::default());
        }
        let _locks = self.lock()?;
        let mut items: Vec<Item<'_>> =
            each(&self.request.certificates, self.request.parallel, |wish| {
                Item {
                    wish,
                    seen: observe(self.request, wish),
                    info: None,
                    decision: None,
                }
            });
        let mut around = Surroundings::default();
        let mut asked = Asked::new(self.request, self.now);
        self.ask_when_to_renew(&mut items, &mut asked, &mut around.taken);
        for item in &mut items {
            if let Ok(seen) = &item.seen {
                let seed = seed(&seen.identifiers);
                let info = item.info.as_ref();
                item.decision = Some(decide(seen, &self.request.renew, info, &seed, self.now()));
            }
        }
        let mut outcomes: Vec<CertificateOutcome> = items.iter().map(Item::outcome).collect();
        if self.control.check_mode {
            self.foresee(&items, &mut outcomes);
        } else {
            self.repair(&items, &mut outcomes);
            self.order(&items, &mut outcomes, &mut asked, &mut around);
        }
        around.requests = asked.requests();
        answer(self.request.phase, &outcomes, around)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.now)
    }

    /// Check mode: what would be ordered, and whether its names lead to where a record can be written.
    fn foresee(&self, items: &[Item<'_>], outcomes: &mut [CertificateOutcome]) {
        let dns = Dns::new(self.request);
        for (item, outcome) in items.iter().zip(outcomes) {
            match &item.decision {
                Some(Decision::Order(_)) => {
                    outcome.status = "due";
                    outcome.changed = true;
                    let seen = item.seen.as_ref().map(|seen| seen.identifiers.as_slice());
                    if let Some(error) = dns.unreachable(seen.unwrap_or_default()) {
                        fail(outcome, &error.into());
                    }
                }
                Some(Decision::Repair { .. }) => {
                    outcome.status = "repaired";
                    outcome.changed = true;
                }
                Some(Decision::Keep { .. }) | None => {}
            }
        }
    }

    /// Orders what is due, or goes as far as the phase goes.
    fn order(
        &self,
        items: &[Item<'_>],
        outcomes: &mut [CertificateOutcome],
        asked: &mut Asked<'_>,
        around: &mut Surroundings,
    ) {
        let due: Vec<(usize, Due<'_>)> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let (Ok(seen), Some(Decision::Order(reasons))) = (&item.seen, &item.decision)
                else {
                    return None;
                };
                let state = observe::state(self.request, &item.wish.name);
                Some((index, Due::new(item.wish, seen, reasons, state)))
            })
            .collect();
        if due.is_empty() {
            return;
        }
        let (publisher, opened) = match self.ready(asked) {
            Ok(ready) => ready,
            Err(error) => {
                for (index, _) in due {
                    if let Some(outcome) = outcomes.get_mut(index) {
                        fail(outcome, &error);
                    }
                }
                return;
            }
        };
        let account = around.opened(opened);
        let dns = Dns::new(self.request);
        let steps = Steps {
            request: self.request,
            account: &account,
            dns: &dns,
            publisher: publisher
                .as_deref()
                .map(|publisher| publisher as &(dyn Publisher + Sync)),
        };
        for round in acme::rounds(due, |(_, due)| &due.order.identifiers) {
            let (indexes, due): (Vec<usize>, Vec<Due<'_>>) = round.into_iter().unzip();
            let (progress, taken) = self.steps(&steps, &due);
            around.taken.merge(taken);
            // The disk takes the files of many in the time of one's.
            let installed = each(&progress, self.request.parallel, |one| self.installed(one));
            let each_of = indexes.into_iter().zip(progress).zip(installed);
            for ((index, one), installed) in each_of {
                if let Some(outcome) = outcomes.get_mut(index) {
                    self.settle(one, installed, outcome, around);
                }
            }
        }
    }

    /// Who publishes, and the account. What is wrong with them is wrong for all that is due,
    /// and for nothing else.
    fn ready(&self, asked: &mut Asked<'_>) -> Result<Ready, CertificateError> {
        let is_shown = self.request.phase != Phase::Request;
        let provider = self.request.provider.as_ref().filter(|_| is_shown);
        let publisher = provider
            .map(|provider| provider.open(self.now))
            .transpose()?;
        Ok((publisher, asked.account(Missing::Make)?))
    }

    fn steps<'b>(&self, steps: &Steps<'b>, due: &'b [Due<'b>]) -> (Vec<Progress<'b>>, Taken) {
        match self.request.phase {
            Phase::Request => (steps.begin(due), Taken::default()),
            Phase::Complete => {
                let progress = steps.complete_later(due);
                let mut taken = Taken::default();
                steps.take_back(&progress, &mut taken);
                (progress, taken)
            }
            _ => steps.all(due),
        }
    }

    /// Says what came of one.
    fn settle(
        &self,
        one: Progress<'_>,
        installed: Option<Installed>,
        outcome: &mut CertificateOutcome,
        around: &mut Surroundings,
    ) {
        outcome.restarted = one.restarted;
        outcome.changed = one.changed;
        let ttl = self
            .request
            .provider
            .as_ref()
            .map_or(1, |provider| provider.ttl());
        if let Some(error) = one.error {
            return fail(outcome, &error);
        }
        if let (Some(issued), Some(installed)) = (one.issued, installed) {
            if !issued.is_preferred {
                outcome.warnings.push(format!(
                    "no chain leads to the preferred root; there are: {}",
                    issued.roots.join(", ")
                ));
            }
            return self.take(one.due, issued.chain.certificates, installed, outcome);
        }
        outcome.status = "pending";
        let records = one.proofs.iter();
        around.records.extend(records.map(|(wanted, placed)| {
            placed.to_json(&outcome.name, &wanted.identifier.to_string(), ttl)
        }));
    }

    fn take(
        &self,
        due: &Due<'_>,
        chain: Vec<Certificate>,
        installed: Installed,
        outcome: &mut CertificateOutcome,
    ) {
        match installed {
            Ok((files, warnings)) => {
                outcome.status = "issued";
                outcome.changed = true;
                outcome.files = files;
                outcome.warnings.extend(warnings);
                outcome.previous = outcome.chain.first().cloned();
                let seed = seed(&due.seen.identifiers);
                outcome.renew_at = chain.first().map(|leaf| {
                    let facts = leaf.facts();
                    match &self.request.renew.before {
                        Some(before) => before.renew_at(facts.not_before, facts.not_after),
                        None => {
                            acme::renew_at_by_lifetime(facts.not_before, facts.not_after, &seed)
                        }
                    }
                });
                outcome.chain = chain;
            }
            Err(error) => fail(outcome, &error),
        }
    }

    /// Every directory that is written to, once.
    fn lock(&self) -> Result<Option<DirectoryLocks>, TaskError> {
        if self.control.check_mode {
            return Ok(None);
        }
        make(&self.request.state_dir)?;
        let files = self
            .request
            .certificates
            .iter()
            .flat_map(|wish| &wish.files);
        // The key of the account is made, taken over and changed by one task at a time.
        let authority = self.request.authority.as_ref();
        let account = authority.and_then(|authority| authority.account.as_ref());
        let paths = files.map(|file| &file.target.path);
        let paths = paths.chain(account.map(|account| &account.key));
        let parents = paths.filter_map(|path| path.parent());
        let directories: BTreeSet<PathBuf> = parents
            .map(Path::to_path_buf)
            // One that is not there spoils its own certificate, which says so.
            .filter(|directory| directory.is_dir())
            .chain([self.request.state_dir.clone()])
            .collect();
        let wait = self.request.patience.whole.unwrap_or_default();
        let wait = wait.saturating_add(LOCK_GRACE);
        let locks = DirectoryLocks::acquire(directories.iter().cloned(), wait)?;
        tls_files::recover(directories)?;
        Ok(Some(locks))
    }
}

/// For root alone: what is in it tells nothing secret, but who writes into it decides what is ordered.
fn make(directory: &Path) -> Result<(), TaskError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| {
            TaskError::All(CertificateError::Unreadable {
                what: "the directory of states",
                path: directory.to_owned(),
                reason: error.to_string(),
            })
        })
}

/// What spreads renewals: the names, which differ from host to host.
fn seed(identifiers: &[Identifier]) -> String {
    let each: Vec<String> = identifiers.iter().map(ToString::to_string).collect();
    each.join(",")
}
