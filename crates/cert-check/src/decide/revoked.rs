// SPDX-License-Identifier: Apache-2.0
//! Whether somebody revoked a certificate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cert_report::{Finding, Level};
use pki::crl::RevocationList;
use pki::{Certificate, Timestamp};

use super::finding;
use crate::observe::{ListSeen, Observed, Roots};
use crate::request::{ListSource, Request};

/// More authorities above a certificate than there are in earnest.
const HIGHEST: usize = 10;

/// Lists of revoked certificates, and who signed them.
pub(super) struct Lists<'a> {
    all: &'a [ListSeen],
    fetch: bool,
    /// Certificates of authorities that were seen anywhere, by their subject: a file may have the leaf alone.
    authorities: HashMap<&'a [u8], Vec<&'a Certificate>>,
    roots: &'a Roots,
    /// By list and fingerprint of an authority: many certificates have the same few.
    signed: Mutex<HashMap<(usize, [u8; 32]), bool>>,
}

impl<'a> Lists<'a> {
    pub(super) fn new(request: &Request, observed: &'a Observed) -> Self {
        let authorities = match observed.lists.is_empty() {
            true => HashMap::new(),
            false => authorities(observed),
        };
        Self {
            all: &observed.lists,
            fetch: request.revocation.fetch,
            authorities,
            roots: &observed.roots,
            signed: Mutex::default(),
        }
    }

    /// `path` is the leaf, then each issuer of the one before.
    pub(super) fn judge(&self, path: &[Certificate], now: Timestamp) -> Vec<Finding> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let path = self.completed(path);
        let numbered = path.iter().enumerate();
        numbered
            .filter_map(|(index, certificate)| match path.get(index + 1) {
                Some(issuer) => self.one(certificate, issuer, index == 0, now),
                None if certificate.is_self_issued() => None,
                None => self.unknown(certificate, index == 0, "its issuer was seen nowhere"),
            })
            .collect()
    }

    /// The path, and above it the issuers that were seen anywhere.
    fn completed<'b>(&'b self, path: &'b [Certificate]) -> Vec<&'b Certificate> {
        let mut path: Vec<&Certificate> = path.iter().collect();
        while path.len() < HIGHEST
            && let Some(issuer) = path.last().and_then(|top| self.issuer(top))
        {
            path.push(issuer);
        }
        path
    }

    fn issuer(&self, certificate: &Certificate) -> Option<&Certificate> {
        if certificate.is_self_issued() {
            return None;
        }
        let name = certificate.facts().issuer_der.as_slice();
        let seen = self.authorities.get(name).into_iter().flatten().copied();
        let mut all = self.roots.named(name).iter().chain(seen);
        all.find(|issuer| certificate.signed_by(issuer))
    }

    fn one(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        is_leaf: bool,
        now: Timestamp,
    ) -> Option<Finding> {
        let facts = certificate.facts();
        let Some((source, list)) = self.of(issuer) else {
            let why = "no list that was given is of its issuer";
            return self.unknown(certificate, is_leaf, why);
        };
        if let Some(entry) = list.revoked(&facts.serial) {
            let reason = entry.reason.map(|reason| format!(" ({reason})"));
            let detail = format!(
                "'{}' was revoked at {}{}, says the list {source}; renew it",
                facts.subject,
                entry.at,
                reason.unwrap_or_default()
            );
            return Some(finding("revoked", Level::Fail, detail));
        }
        let next = list.next_update().filter(|next| *next < now)?;
        let detail = format!(
            "the list of revoked certificates {source} is out of date since {next}: whether '{}' was revoked is not known",
            facts.subject
        );
        Some(finding("crl_outdated", Level::Warn, detail))
    }

    /// The newest list that the authority has signed.
    fn of(&self, issuer: &Certificate) -> Option<(&ListSource, &RevocationList)> {
        let numbered = self.all.iter().enumerate();
        let lists = numbered
            .filter_map(|(index, seen)| Some((index, &seen.source, seen.list.as_ref().ok()?)));
        let own = lists.filter(|(index, _, list)| self.is_signed(*index, list, issuer));
        own.max_by_key(|(_, _, list)| list.this_update())
            .map(|(_, source, list)| (source, list))
    }

    fn is_signed(&self, index: usize, list: &RevocationList, issuer: &Certificate) -> bool {
        let key = (index, issuer.fingerprint_sha256());
        let known = || self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(is_signed) = known().get(&key) {
            return *is_signed;
        }
        let is_signed = list.is_signed_by(issuer);
        known().insert(key, is_signed);
        is_signed
    }

    /// No list says anything. That is told of the certificate that a list was wanted for.
    fn unknown(&self, certificate: &Certificate, is_leaf: bool, why: &str) -> Option<Finding> {
        let facts = certificate.facts();
        let is_named = |source: &ListSource| match source {
            ListSource::Url(url) => facts.crl_urls.contains(url),
            ListSource::File(_) => false,
        };
        let names_list = self.all.iter().any(|seen| is_named(&seen.source));
        let failed = self.all.iter().find_map(|seen| match &seen.list {
            Err(why) if is_named(&seen.source) => Some(format!("{}: {why}", seen.source)),
            _ => None,
        });
        let given = self.all.iter().find_map(|seen| match &seen.list {
            Err(why) => Some(format!("{}: {why}", seen.source)),
            Ok(_) => None,
        });
        let why = match (failed, given) {
            (Some(why), _) => why,
            (None, Some(why)) if !self.fetch && is_leaf => why,
            // Lists that were given may be of some authorities only; those of certificates without any say nothing.
            _ if !is_leaf || (self.fetch && !names_list) => return None,
            _ => why.to_owned(),
        };
        let detail = format!(
            "whether '{}' was revoked is not known: {why}",
            facts.subject
        );
        Some(finding("revocation_unknown", Level::Warn, detail))
    }
}

fn authorities(observed: &Observed) -> HashMap<&[u8], Vec<&Certificate>> {
    let served = observed
        .endpoints
        .iter()
        .filter_map(|each| each.result.as_ref().ok());
    let served = served.flat_map(|served| &served.chain).map(AsRef::as_ref);
    let kept = observed
        .files
        .values()
        .filter_map(|each| each.as_ref().ok())
        .flatten();
    let mut found: HashMap<&[u8], Vec<&Certificate>> = HashMap::new();
    for certificate in served.chain(kept).filter(|each| each.facts().is_ca()) {
        let known = found
            .entry(certificate.facts().subject_der.as_slice())
            .or_default();
        if !known.contains(&certificate) {
            known.push(certificate);
        }
    }
    found
}
