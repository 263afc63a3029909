// SPDX-License-Identifier: Apache-2.0
//! An entry with the defaults under it.

use crate::params::{AcmeParams, EntryParams, IssuerParams, KeyParams, RenewParams};

/// Looks an option up in the entry, then in `defaults`; knows at which path it was found.
pub(crate) struct Merged<'a> {
    /// Position in `certificates`.
    pub(crate) index: usize,
    /// The entry.
    pub(crate) entry: &'a EntryParams,
    /// What holds where the entry is silent.
    pub(crate) defaults: &'a EntryParams,
}

impl<'a> Merged<'a> {
    /// The path of an option of this entry.
    pub(crate) fn at(&self, option: &str) -> String {
        format!("certificates[{}].{option}", self.index)
    }

    /// The value and the path where it was found.
    pub(crate) fn pick<T: ?Sized>(
        &self,
        option: &str,
        of: impl Fn(&'a EntryParams) -> Option<&'a T>,
    ) -> Option<(&'a T, String)> {
        let own = of(self.entry).map(|value| (value, self.at(option)));
        own.or_else(|| of(self.defaults).map(|value| (value, format!("defaults.{option}"))))
    }

    /// An option of `key`.
    pub(crate) fn key<T: ?Sized>(
        &self,
        option: &str,
        of: impl Fn(&'a KeyParams) -> Option<&'a T>,
    ) -> Option<(&'a T, String)> {
        self.pick(&format!("key.{option}"), |entry| {
            entry.key.as_ref().and_then(&of)
        })
    }

    /// An option of `renew`.
    pub(crate) fn renew<T: ?Sized>(
        &self,
        option: &str,
        of: impl Fn(&'a RenewParams) -> Option<&'a T>,
    ) -> Option<(&'a T, String)> {
        self.pick(&format!("renew.{option}"), |entry| {
            entry.renew.as_ref().and_then(&of)
        })
    }

    /// The issuer is taken as a whole: half of one and half of another means nothing.
    pub(crate) fn issuer(&self) -> Option<(&'a IssuerParams, String)> {
        self.pick("issuer", |entry| entry.issuer.as_ref())
    }

    /// The ACME server, if it is the issuer.
    pub(crate) fn acme(&self) -> Option<(&'a AcmeParams, String)> {
        let (issuer, path) = self.issuer()?;
        Some((issuer.acme.as_ref()?, format!("{path}.acme")))
    }

    /// Whether the issuer is a Vault that shall revoke what is not needed any more.
    pub(crate) fn is_revoked_at_end(&self) -> bool {
        let vault = self.issuer().and_then(|(issuer, _)| issuer.vault.as_ref());
        vault.is_some_and(|vault| vault.revoke_old == "after_install")
    }

    /// Whether the issuer is certmonger.
    pub(crate) fn is_kept_by_certmonger(&self) -> bool {
        self.issuer()
            .is_some_and(|(issuer, _)| issuer.certmonger.is_some())
    }
}
