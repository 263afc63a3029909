// SPDX-License-Identifier: Apache-2.0
//! Whether somebody revoked a certificate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cert_report::{Finding, Level};
use pki::crl::RevocationList;
use pki::{Certificate, Timestamp};

use super::finding;
use crate::observe::ListSeen;
use crate::request::{ListSource, Request};

/// Lists of revoked certificates, and who signed them.
pub(super) struct Lists<'a> {
    all: &'a [ListSeen],
    fetch: bool,
    /// By list and fingerprint of an authority: many certificates have the same few.
    signed: Mutex<HashMap<(usize, [u8; 32]), bool>>,
}

impl<'a> Lists<'a> {
    pub(super) fn new(request: &Request, all: &'a [ListSeen]) -> Self {
        Self {
            all,
            fetch: request.revocation.fetch,
            signed: Mutex::default(),
        }
    }

    /// `path` is the leaf, then each issuer of the one before.
    pub(super) fn judge(&self, path: &[Certificate], now: Timestamp) -> Vec<Finding> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let pairs = path.windows(2).enumerate();
        pairs
            .filter_map(|(index, pair)| match pair {
                [certificate, issuer] => self.one(certificate, issuer, index == 0, now),
                _ => None,
            })
            .collect()
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
            return self.unknown(certificate, is_leaf);
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
    fn unknown(&self, certificate: &Certificate, is_leaf: bool) -> Option<Finding> {
        let facts = certificate.facts();
        let is_named = |source: &ListSource| match source {
            ListSource::Url(url) => facts.crl_urls.contains(url),
            ListSource::File(_) => false,
        };
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
            _ if self.fetch || !is_leaf => return None,
            _ => "no list that was given is of its issuer".to_owned(),
        };
        let detail = format!(
            "whether '{}' was revoked is not known: {why}",
            facts.subject
        );
        Some(finding("revocation_unknown", Level::Warn, detail))
    }
}
