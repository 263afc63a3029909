// SPDX-License-Identifier: Apache-2.0
//! Phases about what is there already: certificates that are revoked, authorizations that are given up.

use std::path::Path;
use std::sync::Arc;

use acme::state::State;
use acme::{Account, Identifier, Revoked, Server, revoke_with_key};
use ansible_module::{Outcome, flatten};
use pki::{Certificate, PrivateKey};
use tls_files::{Attributes, FileChange, Target};
use zeroize::Zeroizing;

use super::authority::Asked;
use super::{Task, fail};
use crate::account::{Missing, text};
use crate::decide::Reason;
use crate::failure::{CertificateError, TaskError};
use crate::observe;
use crate::outcome::{CertificateOutcome, Surroundings, answer};
use crate::request::{CertificateSource, NamesSource, ReleaseWish, RevocationWish, first};

impl Task<'_> {
    /// Revokes each certificate. In check mode what this host has not revoked itself is told as due; nobody is asked.
    pub(super) fn revoke(&self) -> Result<Outcome, TaskError> {
        let _locks = self.lock()?;
        let mut around = Surroundings::default();
        let mut party = Party::new(Asked::new(self.request, self.now));
        let mut outcomes = Vec::new();
        for wish in &self.request.revocations {
            let mut outcome = CertificateOutcome::new(&wish.name);
            let done = self.revoke_one(wish, &mut party, &mut around, &mut outcome);
            if let Err(error) = done {
                fail(&mut outcome, &error);
            }
            outcomes.push(outcome);
        }
        around.requests = party.asked.requests();
        answer(self.request.phase, &outcomes, around)
    }

    fn revoke_one(
        &self,
        wish: &RevocationWish,
        party: &mut Party<'_>,
        around: &mut Surroundings,
        outcome: &mut CertificateOutcome,
    ) -> Result<(), CertificateError> {
        let certificate = read(&wish.certificate)?;
        outcome.chain = vec![certificate.clone()];
        outcome.status = "revoked";
        if observe::is_revoked(self.request, &certificate)? {
            return Ok(());
        }
        let key = wish.key.as_deref();
        let key = key.map(|path| key_of(&certificate, path)).transpose()?;
        if self.control.check_mode {
            outcome.status = "due";
            outcome.changed = true;
            outcome.foreseen = "revoked";
            outcome.reasons = vec![Reason::new("revoke", wish.reason.name())];
            return Ok(());
        }
        let since = match &key {
            Some(key) => {
                let server = party.server()?;
                revoke_with_key(&server, &certificate, key, wish.reason)?
            }
            None => party.account(around)?.revoke(&certificate, wish.reason)?,
        };
        outcome.changed = since == Revoked::Now;
        // Revoked it is; without the note it is only not renewed for that.
        if let Err(error) = self.note_revoked(&certificate) {
            outcome.warnings.push(error.to_string());
        }
        Ok(())
    }

    /// For later tasks on this host: it is of no use any more, and nobody needs to be asked.
    fn note_revoked(&self, certificate: &Certificate) -> Result<(), tls_files::Error> {
        let target = Target {
            path: observe::revoked(self.request, certificate),
            attributes: Attributes::default(),
            secret: false,
            backup: false,
        };
        let facts = certificate.facts();
        let line = format!("{} until {}\n", facts.serial, facts.not_after);
        let content = Zeroizing::new(line.into_bytes());
        tls_files::install("acme-revoked", vec![FileChange { target, content }])?;
        Ok(())
    }

    /// Gives up all that names have proved. In check mode nobody is asked, and all is told as due.
    pub(super) fn release(&self) -> Result<Outcome, TaskError> {
        let _locks = self.lock()?;
        let mut around = Surroundings::default();
        let mut party = Party::new(Asked::new(self.request, self.now));
        let mut outcomes = Vec::new();
        for wish in &self.request.releases {
            let mut outcome = CertificateOutcome::new(&wish.name);
            let done = self.release_one(wish, &mut party, &mut around, &mut outcome);
            if let Err(error) = done {
                fail(&mut outcome, &error);
            }
            outcomes.push(outcome);
        }
        around.requests = party.asked.requests();
        answer(self.request.phase, &outcomes, around)
    }

    fn release_one(
        &self,
        wish: &ReleaseWish,
        party: &mut Party<'_>,
        around: &mut Surroundings,
        outcome: &mut CertificateOutcome,
    ) -> Result<(), CertificateError> {
        let names = names(&wish.names)?;
        outcome.status = "released";
        if self.control.check_mode {
            let each: Vec<_> = names.iter().map(ToString::to_string).collect();
            outcome.status = "due";
            outcome.changed = true;
            outcome.foreseen = "released";
            outcome.reasons = vec![Reason::new("release", each.join(", "))];
            return Ok(());
        }
        let state = State::load(&observe::state(self.request, &wish.name))?;
        let known: Vec<String> = state.and_then(|state| state.order).into_iter().collect();
        let mut released = Vec::new();
        let account = party.account(around)?;
        let done = account.release(&names, &known, &mut released);
        outcome.changed = !released.is_empty();
        outcome.released = released
            .iter()
            .map(|one| one.identifier.to_string())
            .collect();
        outcome.released.dedup();
        Ok(done?)
    }
}

/// The server and the account, opened when the first needs them. What keeps them from being opened is told for the first
/// and not tried again for the others.
struct Party<'a> {
    asked: Asked<'a>,
    account: Option<Account>,
    failed: Option<String>,
}

impl<'a> Party<'a> {
    fn new(asked: Asked<'a>) -> Self {
        Self {
            asked,
            account: None,
            failed: None,
        }
    }

    fn server(&mut self) -> Result<Arc<Server>, CertificateError> {
        self.once(Asked::server)
    }

    fn account(&mut self, around: &mut Surroundings) -> Result<Account, CertificateError> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let opened = self.once(|asked| asked.account(Missing::Refuse))?;
        let account = around.opened(opened);
        self.account = Some(account.clone());
        Ok(account)
    }

    fn once<T>(
        &mut self,
        open: impl FnOnce(&mut Asked<'a>) -> Result<T, CertificateError>,
    ) -> Result<T, CertificateError> {
        if let Some(text) = &self.failed {
            return Err(CertificateError::Together(text.clone()));
        }
        open(&mut self.asked).inspect_err(|error| self.failed = Some(error.to_string()))
    }
}

fn read(source: &CertificateSource) -> Result<Certificate, CertificateError> {
    let path = match source {
        CertificateSource::Given(certificate) => return Ok(certificate.as_ref().clone()),
        CertificateSource::File(path) => path,
    };
    let what = "the certificate";
    first(&text(path, what)?).map_err(|reason| CertificateError::Unreadable {
        what,
        path: path.clone(),
        reason,
    })
}

/// The certificate's own key. Another one would be refused by the server, in words of its own.
fn key_of(certificate: &Certificate, path: &Path) -> Result<PrivateKey, CertificateError> {
    let what = "the certificate's private key";
    let unreadable = |error: pki::Error| CertificateError::Unreadable {
        what,
        path: path.to_owned(),
        reason: flatten(&error),
    };
    let key = PrivateKey::from_pem(&text(path, what)?, None).map_err(unreadable)?;
    match key.public_key().map_err(unreadable)?.sha256() == certificate.public_key().sha256() {
        true => Ok(key),
        false => Err(CertificateError::OtherKey(path.to_owned())),
    }
}

fn names(source: &NamesSource) -> Result<Vec<Identifier>, CertificateError> {
    let names = match source {
        NamesSource::Certificate(certificate) => read(certificate)?.facts().names.clone(),
        NamesSource::Request(request) => observe::csr(request)?.template()?.names,
    };
    Identifier::all_of(&names).map_err(CertificateError::Names)
}
