// SPDX-License-Identifier: Apache-2.0
//! Where the walk of a task meets Vaults: what they say of certificates that are fine, signing, and what came of it.

use issuers::Vault;
use pki::{Certificate, Lifetime};

use super::{Step, Task, report};
use crate::apply::Work;
use crate::decide::{Action, Decision, KeySource, ReasonKind, decide};
use crate::failure::EntryError;
use crate::issuance::Loaded;
use crate::layout;
use crate::observe::{Observation, observe};
use crate::outcome::EntryOutcome;
use crate::request::{Entry, IssuerSpec, RenewOn, RevokeOld, VaultSpec};
use crate::signed::Server;

impl Task<'_> {
    /// What the server says may change a decision, so it is asked about whatever is due by its end only, or not at all. A
    /// certificate that is replaced anyway needs no question, and one that is fine no answer.
    pub(super) fn ask_vault(
        &self,
        entry: &Entry,
        issuer: &Loaded,
        seen: &mut Observation,
        decision: Decision,
    ) -> Result<Decision, EntryError> {
        let (IssuerSpec::Vault(spec), Loaded::Vault(vault)) = (&entry.issuer, issuer) else {
            return Ok(decision);
        };
        let Some(certificate) = seen.certificate.clone().filter(|_| seen.is_pair) else {
            return Ok(decision);
        };
        let is_open = |kind| matches!(kind, ReasonKind::Expiry | ReasonKind::Missing);
        let is_settled = decision.reasons.iter().any(|reason| !is_open(reason.kind));
        if seen.key.is_none() || (is_settled && matches!(decision.action, Action::Issue(_))) {
            return Ok(decision);
        }
        let server = self.vaults.server(spec);
        let wants_chain =
            seen.is_chain_lost || (layout::wants_root(entry) && seen.above.root.is_none());
        let is_due = decision
            .reasons
            .iter()
            .any(|reason| reason.kind == ReasonKind::Expiry);
        let needs_issuer = wants_chain || is_due || entry.renew.on.contains(&RenewOn::Issuer);
        let mut warnings = Vec::new();
        let mut vault = vault.as_ref().clone();
        if needs_issuer && !server.is_silent() {
            match server.issuing(spec) {
                Ok(issuing) => vault = vault.with_issuing(issuing),
                Err(error) => warnings.extend(server.note_silence("who signs now", &error)),
            }
        }
        if is_asked_for_revocation(entry, &vault, &certificate) && !server.is_silent() {
            match server.revocation(spec, &certificate) {
                Ok(revoked) => vault = vault.with_revocation(revoked),
                Err(error) => {
                    warnings.extend(server.note_silence("whether it was revoked", &error))
                }
            }
        }
        let issuer = Loaded::Vault(Box::new(vault));
        if wants_chain {
            *seen = observe(entry, &issuer, &self.request.state_dir)?;
        }
        let mut decision = decide(entry, &issuer, seen, self.now)?;
        decision.warnings.extend(warnings);
        Ok(decision)
    }

    /// Check mode: whether the server would let us, or a warning that nobody knows.
    pub(super) fn foresee_signing(
        &self,
        entry: &Entry,
        action: Action,
    ) -> Result<Option<String>, EntryError> {
        match (&entry.issuer, action) {
            (IssuerSpec::Vault(spec), Action::Issue(_)) => self.vaults.server(spec).foresee(spec),
            _ => Ok(None),
        }
    }

    /// What is due is signed; the rest is as with all others.
    pub(super) fn sign_or_act(
        &self,
        entry: &Entry,
        issuer: &Vault,
        step: &Step<'_, '_>,
        decision: &Decision,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        match (&entry.issuer, decision.action, &step.job.issuer) {
            (IssuerSpec::Vault(spec), Action::Issue(source), _) => {
                let order = (issuer, spec.as_ref(), source);
                self.sign(entry, order, &step.seen, decision, outcome)
            }
            (_, _, Ok(loaded)) => self.act(entry, (loaded, None), &step.seen, decision, outcome),
            (_, _, Err(error)) => Err(error.share()),
        }
    }

    /// Has a certificate signed, verifies it and installs it.
    fn sign(
        &self,
        entry: &Entry,
        (issuer, spec, source): (&Vault, &VaultSpec, KeySource),
        seen: &Observation,
        decision: &Decision,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        outcome.reasons.clone_from(&decision.reasons);
        outcome.warnings.clone_from(&decision.warnings);
        let unsigned = Loaded::Vault(Box::new(issuer.clone()));
        let work = Work {
            entry,
            issuer: &unsigned,
            seen,
            state_dir: &self.request.state_dir,
            now: self.now,
        };
        let pending = work.made(source)?;
        let server = self.vaults.server(spec);
        let signed = server.sign(entry, spec, &pending.request)?;
        outcome.warnings.extend(signed.warnings);
        let pem: String = signed.chain.iter().map(Certificate::to_pem).collect();
        let given = Loaded::Vault(Box::new(issuer.with_chain(pem.into_bytes())));
        let work = Work {
            issuer: &given,
            // The begun second counts, for certificates have whole ones.
            now: self.vaults.now() + Lifetime(1),
            ..work
        };
        let applied = work.take(&pending)?;
        report(entry, decision, applied, outcome);
        if let (RevokeOld::AfterInstall, Some(old)) = (spec.revoke_old, &seen.certificate) {
            outcome.warnings.extend(revoke(&server, spec, old));
        }
        Ok(())
    }

    /// Before the files of a certificate go: afterwards nobody would know its serial number.
    pub(super) fn revoke_removed(&self, entry: &Entry) -> Result<bool, EntryError> {
        let IssuerSpec::Vault(spec) = &entry.issuer else {
            return Ok(false);
        };
        let unsigned = Loaded::Vault(Box::default());
        let seen = observe(entry, &unsigned, &self.request.state_dir)?;
        let Some(certificate) = &seen.certificate else {
            return Ok(false);
        };
        let server = self.vaults.server(spec);
        if !server.knows(spec, certificate)? {
            return Ok(false);
        }
        if !self.control.check_mode {
            server.revoke(spec, certificate)?;
        }
        Ok(true)
    }
}

/// A certificate of another authority has a serial number that says nothing at this one, and is replaced anyway.
fn is_asked_for_revocation(entry: &Entry, vault: &Vault, certificate: &Certificate) -> bool {
    let is_of_another = vault
        .issuing()
        .is_some_and(|issuing| !certificate.signed_by(&issuing.certificate));
    let is_replaced = is_of_another && entry.renew.on.contains(&RenewOn::Issuer);
    entry.renew.on.contains(&RenewOn::Revoked) && !is_replaced
}

/// The successor is in service, so what goes wrong here is a warning.
fn revoke(server: &Server, spec: &VaultSpec, old: &Certificate) -> Option<String> {
    let serial = &old.facts().serial;
    let done = match server.knows(spec, old) {
        Ok(false) => return None,
        Ok(true) => server.revoke(spec, old),
        Err(error) => Err(error),
    };
    done.err().map(|error| {
        let why = ansible_module::flatten(&error);
        format!("the certificate before, serial {serial}, was not revoked: {why}")
    })
}
