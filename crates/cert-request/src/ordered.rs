// SPDX-License-Identifier: Apache-2.0
//! Certificates that are ordered from an ACME server. The walk is that of all others; only that all which are due are
//! ordered together: one account, one responder or one publication, and then each is verified and installed on its own.
//!
//! The key of an order lies in the directory of pending requests (mode 0600) from before the order until the certificate
//! is installed: whatever kills the task in between, the next one goes on with the same order and the same key.

mod dns;
mod http;
mod place;
mod rest;
mod servers;

use std::path::Path;
use std::time::SystemTime;

use acme::state::State;
use acme::{Account, Identifier, OrderRequest, certificate_id};
use acme_dns_challenge::account::Opened;
use acme_dns_challenge::failure::CertificateError;
use ansible_module::each;
use issuers::Kept;
use pki::{Certificate, CertificateRequest, PrivateKey, Timestamp};
use serde_json::{Value, json};

pub use place::Place;
pub use servers::Servers;

use crate::decide::KeySource;
use crate::failure::EntryError;
use crate::observe::Observation;
use crate::request::{AcmeSpec, Entry};
use crate::state::{Pending, PendingDir};

/// A certificate that is to be ordered.
pub struct Item<'a> {
    /// What is wished.
    pub entry: &'a Entry,
    /// Of whom.
    pub spec: &'a AcmeSpec,
    /// What is there.
    pub seen: &'a Observation,
    /// Whose key it is for.
    pub source: KeySource,
}

/// What came of it.
pub struct Settled {
    /// The key and the request that was ordered for, and the answer.
    pub result: Result<(Pending, Answer), EntryError>,
    /// Whether something was done at the server or on this host.
    pub is_touched: bool,
    /// When the server may be asked again, if it said so.
    pub retry_at: Option<Timestamp>,
    /// The names that the server does not accept, with its words.
    pub failed_identifiers: Vec<Value>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// What the server gave.
pub enum Answer {
    /// The chain.
    Chain(Vec<Certificate>),
    /// Nothing yet; what it waits for.
    Pending(String),
}

/// An item with its key and request, ready to be ordered.
struct Due<'a> {
    item: &'a Item<'a>,
    place: Place,
    order: OrderRequest,
    request: CertificateRequest,
    key: PrivateKey,
    is_fresh: bool,
}

/// What the way of one challenge gives for one item.
struct Done {
    result: Result<acme::Issued, CertificateError>,
    restarted: Vec<String>,
    warnings: Vec<String>,
}

impl Done {
    fn failed(error: CertificateError) -> Self {
        Self {
            result: Err(error),
            restarted: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Orders them, those with the same settings together, one such group after the other: two may need one port. In the
/// order of the items.
pub fn carry_out(items: &[Item<'_>], servers: &Servers, state_dir: &Path) -> Vec<Settled> {
    let mut settled: Vec<Option<Settled>> = items.iter().map(|_| None).collect();
    let mut groups: Vec<[u8; 32]> = Vec::new();
    for item in items {
        if !groups.contains(&item.spec.group) {
            groups.push(item.spec.group);
        }
    }
    for group in groups {
        let all = items.iter().enumerate();
        let (indexes, those): (Vec<usize>, Vec<&Item<'_>>) =
            all.filter(|(_, item)| item.spec.group == group).unzip();
        for (index, one) in indexes
            .into_iter()
            .zip(together(&those, servers, state_dir))
        {
            if let Some(slot) = settled.get_mut(index) {
                *slot = Some(one);
            }
        }
    }
    settled.into_iter().flatten().collect()
}

/// Those of one group.
fn together(items: &[&Item<'_>], servers: &Servers, state_dir: &Path) -> Vec<Settled> {
    let Some(spec) = items.first().map(|item| item.spec) else {
        return Vec::new();
    };
    let now = Timestamp::from(servers.now());
    let rest = |item: &&Item<'_>| rest::of(item, state_dir, now);
    let rests: Vec<Option<EntryError>> = items.iter().map(rest).collect();
    if rests.iter().all(Option::is_some) {
        return rests.into_iter().flatten().map(failed).collect();
    }
    let has_key = || {
        let account = spec.authority.account.as_ref();
        account.is_some_and(|account| account.key.exists())
    };
    let had_key = has_key();
    match servers.account(spec) {
        Ok(Opened { account, changes }) => {
            let staged = stage(items, rests, state_dir);
            order(spec, &account, staged, servers.now(), !changes.is_empty())
        }
        Err(error) => {
            let is_touched = !had_key && has_key();
            let one = |_| Settled {
                is_touched,
                ..failed(error.share())
            };
            items.iter().map(one).collect()
        }
    }
}

/// Keys and requests of those that the server may be asked for.
fn stage<'a>(
    items: &[&'a Item<'a>],
    rests: Vec<Option<EntryError>>,
    state_dir: &Path,
) -> Vec<Result<Due<'a>, EntryError>> {
    let asked: Vec<Option<&Item<'_>>> = items
        .iter()
        .zip(&rests)
        .map(|(item, rest)| rest.is_none().then_some(*item))
        .collect();
    let parallel = items.first().map_or(1, |item| item.spec.shared.parallel);
    let staged = each(&asked, parallel, |item| {
        item.map(|item| Due::stage(item, state_dir))
    });
    let both = staged.into_iter().zip(rests);
    both.filter_map(|(staged, rest)| staged.or_else(|| rest.map(Err)))
        .collect()
}

/// Has the server give what was staged.
fn order(
    spec: &AcmeSpec,
    account: &Account,
    staged: Vec<Result<Due<'_>, EntryError>>,
    now: SystemTime,
    is_made: bool,
) -> Vec<Settled> {
    let due: Vec<&Due<'_>> = staged.iter().flatten().collect();
    let before: Vec<Option<String>> = due.iter().map(|due| due.ordered()).collect();
    let mut done: Vec<Option<Done>> = due.iter().map(|_| None).collect();
    let numbered = due.into_iter().enumerate().collect();
    for round in acme::rounds(numbered, |(_, due)| &due.order.identifiers) {
        let (indexes, those): (Vec<usize>, Vec<&Due<'_>>) = round.into_iter().unzip();
        let came = match &spec.http {
            Some(http) => http::order(spec, http, account, &those),
            None => dns::order(spec, account, &those, now),
        };
        for (index, one) in indexes.into_iter().zip(came) {
            if let Some(slot) = done.get_mut(index) {
                *slot = Some(one);
            }
        }
    }
    let mut done = done.into_iter().flatten().zip(before);
    let settle = |staged: Result<Due<'_>, EntryError>| match staged {
        Err(error) => failed(error),
        Ok(due) => match done.next() {
            Some((done, before)) => due.settle(done, before, is_made),
            // There is one for each: this is not reached.
            None => failed(EntryError::from(issuers::Error::NotOrdered)),
        },
    };
    staged.into_iter().map(settle).collect()
}

fn failed(error: EntryError) -> Settled {
    Settled {
        retry_at: error.retry_at(),
        result: Err(error),
        is_touched: false,
        failed_identifiers: Vec::new(),
        warnings: Vec::new(),
    }
}

impl<'a> Due<'a> {
    /// Key and request, on disk before the server hears of them.
    fn stage(item: &'a Item<'a>, state_dir: &Path) -> Result<Self, EntryError> {
        let entry = item.entry;
        let place = Place::new(state_dir, entry);
        let identifiers = Identifier::all_of(&entry.template.names)
            .map_err(|why| EntryError::from(CertificateError::Names(why)))?;
        let (pending, is_there) = match (&item.seen.pending, item.source) {
            (Some(pending), KeySource::Pending) => (
                Pending {
                    key: pending.key.clone(),
                    request: pending.request.clone(),
                },
                true,
            ),
            _ => (fresh(item)?, false),
        };
        if !is_there {
            PendingDir::new(state_dir, &entry.name).save(&pending, &entry.key)?;
        }
        let order = OrderRequest {
            profile: item.spec.profile.clone(),
            replaces: replaced(item, &place, &identifiers),
            ..OrderRequest::of(identifiers)
        };
        Ok(Self {
            item,
            place,
            order,
            request: pending.request,
            key: pending.key,
            is_fresh: !is_there,
        })
    }

    /// The URL of its order, if it has one.
    fn ordered(&self) -> Option<String> {
        State::load(&self.place.state()).ok().flatten()?.order
    }

    fn settle(&self, done: Done, before: Option<String>, is_made: bool) -> Settled {
        let mut settled = Settled {
            result: Err(EntryError::from(issuers::Error::NotOrdered)),
            // An order that is only looked at once more changes nothing.
            is_touched: is_made || self.is_fresh || self.ordered() != before,
            retry_at: None,
            failed_identifiers: Vec::new(),
            warnings: done.warnings,
        };
        let again = done
            .restarted
            .iter()
            .map(|why| format!("ordered again: {why}"));
        settled.warnings.extend(again);
        settled.result = match done.result {
            Ok(issued) => self.take(issued, &mut settled),
            Err(CertificateError::Acme(error)) if self.waits(&error) => {
                Ok((self.pending(), Answer::Pending(error.to_string())))
            }
            Err(error) => {
                if let CertificateError::Acme(error) = &error {
                    settled.retry_at = error.retry_at();
                    settled.failed_identifiers = named(error);
                }
                Err(EntryError::from(error))
            }
        };
        settled
    }

    /// Time is over, and a later run goes on with the order that there is.
    fn waits(&self, error: &acme::Error) -> bool {
        matches!(error.kind(), "acme.not_done" | "acme.out_of_time") && self.ordered().is_some()
    }

    fn take(
        &self,
        issued: acme::Issued,
        settled: &mut Settled,
    ) -> Result<(Pending, Answer), EntryError> {
        if !issued.is_preferred {
            settled.warnings.push(format!(
                "no chain leads to the preferred root; there are: {}",
                issued.roots.join(", ")
            ));
        }
        settled.is_touched = true;
        let kept = Kept {
            directory: self.item.spec.authority.directory.clone(),
            profile: self.item.spec.profile.clone(),
            chain: issued.chain.certificates,
        };
        self.place.keep(&kept)?;
        Ok((self.pending(), Answer::Chain(kept.chain)))
    }

    fn pending(&self) -> Pending {
        Pending {
            key: self.key.clone(),
            request: self.request.clone(),
        }
    }
}

fn fresh(item: &Item<'_>) -> Result<Pending, EntryError> {
    let make = |what: &'static str| {
        move |source: pki::Error| EntryError::Make {
            what,
            source: Box::new(source),
        }
    };
    let installed = item.seen.key.as_ref();
    let key = match installed.filter(|_| item.source == KeySource::Installed) {
        Some(key) => key.clone(),
        None => PrivateKey::generate(item.entry.key.algorithm).map_err(make("the private key"))?,
    };
    let request = CertificateRequest::create(&item.entry.template, &key)
        .map_err(make("the signing request"))?;
    Ok(Pending { key, request })
}

/// RFC 9773 §5: what is replaced, if it is of the same server and for the same names.
fn replaced(item: &Item<'_>, place: &Place, identifiers: &[Identifier]) -> Option<String> {
    let kept = place.kept()?;
    let installed = item.seen.certificate.as_ref()?;
    let is_ours = kept.leaf() == Some(installed)
        && kept.directory == item.spec.authority.directory
        && Identifier::all_of(&installed.facts().names).is_ok_and(|names| names == identifiers);
    is_ours.then(|| certificate_id(installed).ok()).flatten()
}

fn named(error: &acme::Error) -> Vec<Value> {
    let each = error.failed_identifiers();
    each.iter()
        .map(|name| {
            json!({
                "identifier": name.identifier.to_string(),
                "type": name.kind.as_str(),
                "detail": name.detail,
            })
        })
        .collect()
}

/// Check mode: whether the names of a certificate lead to where a record can be written.
///
/// # Errors
/// What is wrong with the CNAMEs of one of them.
pub fn foresee(entry: &Entry, spec: &AcmeSpec) -> Result<(), EntryError> {
    Ok(dns::foresee(entry, spec)?)
}

/// The job of one certificate.
fn job<'b>(
    spec: &'b AcmeSpec,
    account: &'b Account,
    due: &'b Due<'_>,
    state: &'b Path,
) -> acme::Job<'b> {
    acme::Job {
        account,
        order: &due.order,
        request: &due.request,
        challenge: &spec.shared.challenge,
        preferred: due.item.spec.preferred.as_ref(),
        state,
    }
}
