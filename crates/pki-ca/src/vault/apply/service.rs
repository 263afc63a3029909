// SPDX-License-Identifier: Apache-2.0
//! Into service, out of it, away.

use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};

use super::Work;
use crate::failure::Failure;
use crate::vault::failure::VaultFailure;
use crate::vault::observe::{ISSUING, ObservedIssuer};
use crate::vault::plan::{Plan, Settings};
use crate::vault::request::Wish;
use crate::vault::revoke::paired;
use ::vault::pki::Mount;

impl Work<'_> {
    /// Changes settings of the issuer; all others stay.
    pub(super) fn settings(&mut self, wish: &Wish, settings: &Settings) -> Result<(), Failure> {
        let mut body = Map::new();
        if let Some(usage) = &settings.usage {
            if !usage.iter().any(|word| word == ISSUING) {
                self.refuse_default(wish, "retired")?;
            }
            body.insert("usage".to_owned(), usage.join(",").into());
        }
        if let Some(behavior) = &settings.leaf_not_after {
            body.insert("leaf_not_after_behavior".to_owned(), json!(behavior));
        }
        if let Some(chain) = &settings.chain {
            body.insert("manual_chain".to_owned(), json!(chain));
        }
        let what = format!("change settings of issuer '{}'", wish.name());
        self.mount()
            .patch_issuer(wish.name().as_str(), &Value::Object(body))
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        Ok(())
    }

    /// Proves the issuer, makes it the default, and proves that the default is it; else the old one is back.
    pub(super) fn activate(&mut self, wish: &Wish) -> Result<(), Failure> {
        let name = wish.name().as_str();
        let issuer = self.issuer(name)?;
        let root = end(&issuer).clone();
        if let Err(failure) = self.prove(wish, Some(name), &root) {
            // The server has made the first issuer of the mount its default by itself, and lets none go without another.
            if issuer.is_default {
                self.warn_unproven(wish);
            }
            return Err(failure);
        }
        let api = self.mount();
        let what = || format!("make issuer '{name}' the default");
        let before = api.default_issuer().map_err(VaultFailure::server(what()))?;
        if before.as_ref() != Some(&issuer.id) {
            api.set_default_issuer(&issuer.id)
                .map_err(VaultFailure::server(what()))?;
            self.applied.changed = true;
        }
        let proven = self.prove(wish, None, &root);
        if proven.is_err() {
            match before.filter(|before| *before != issuer.id) {
                Some(before) => self.put_back(&before),
                None => self.warn_unproven(wish),
            }
        }
        proven
    }

    /// The default of before. That it could not be put back is said beside the failure that made it necessary.
    fn put_back(&mut self, before: &str) {
        let Err(error) = self.mount().set_default_issuer(before) else {
            return;
        };
        let failure = VaultFailure::server("put the default issuer back")(error);
        self.applied.warnings.push(format!(
            "issuer '{before}' is not the default of mount '{}' any more: {}",
            self.request.mount,
            ansible_module::flatten(&failure)
        ));
    }

    fn warn_unproven(&mut self, wish: &Wish) {
        self.applied.warnings.push(format!(
            "authority '{}' did not prove itself, but is the default issuer of mount '{}': there was none before it; make another the default, or remove it",
            wish.name(),
            self.request.mount
        ));
    }

    /// Looks once more: the default may have moved since, or its successor may have failed.
    fn refuse_default(&self, wish: &Wish, what: &'static str) -> Result<(), Failure> {
        if self.issuer(wish.name().as_str())?.is_default {
            return Err(VaultFailure::Default {
                authority: wish.name().clone(),
                mount: self.request.mount.clone(),
                what,
            }
            .into());
        }
        Ok(())
    }

    /// Revokes the issuer, and its certificate where it was signed in another mount.
    pub(super) fn revoke(&mut self, wish: &Wish, elsewhere: Option<&str>) -> Result<(), Failure> {
        self.refuse_default(wish, "revoked")?;
        let name = wish.name().as_str();
        if let Some(path) = elsewhere {
            let serial = paired(&self.issuer(name)?.certificate.facts().serial);
            let what = format!("revoke certificate {serial} in mount '{path}'");
            Mount::new(self.vault, path)
                .revoke(&serial)
                .map_err(VaultFailure::server(what))?;
            self.applied.changed = true;
        }
        let what = format!("revoke issuer '{name}'");
        self.mount()
            .revoke_issuer(name)
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        Ok(())
    }

    /// Removes the issuer, then the key that nothing else uses.
    pub(super) fn remove(&mut self, wish: &Wish, key_id: Option<&str>) -> Result<(), Failure> {
        self.refuse_default(wish, "removed")?;
        let name = wish.name().as_str();
        let what = format!("remove issuer '{name}'");
        self.mount()
            .delete_issuer(name)
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        match key_id {
            Some(key) => self.remove_key(wish, key),
            None => Ok(()),
        }
    }

    /// Removes a key; the server refuses that while an issuer has it.
    pub(super) fn remove_key(&mut self, wish: &Wish, id: &str) -> Result<(), Failure> {
        let what = format!("remove the key of authority '{}'", wish.name());
        self.mount()
            .delete_key(id)
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        Ok(())
    }

    /// Fulfils every entry of `revoke`.
    pub(super) fn revocations(&mut self, plan: &Plan) {
        for (index, decided) in plan.revocations.iter().enumerate() {
            let Ok(decided) = decided else {
                self.applied.revoked.push(None);
                continue;
            };
            if decided.since.is_some() {
                self.applied.revoked.push(decided.since);
                continue;
            }
            let what = format!("revoke certificate {}", decided.serial);
            let done = self.mount().revoke(&decided.serial);
            match done {
                Ok(at) => {
                    self.applied.changed = true;
                    self.applied.revoked.push(Some(Timestamp(at)));
                }
                Err(error) => {
                    self.applied.revoked.push(None);
                    self.fail(
                        format!("revoke[{index}]"),
                        VaultFailure::server(what)(error),
                    );
                }
            }
        }
    }

    /// Has lists that are due made anew: the server makes all of a mount at once.
    pub(super) fn lists(&mut self, plan: &Plan) {
        let mut due = plan.lists.iter().filter(|list| !list.reasons.is_empty());
        let Some(first) = due.next() else { return };
        match self.mount().rotate_crl() {
            Ok(()) => self.applied.changed = true,
            Err(error) => {
                let what = "make the revocation lists anew";
                let item = format!("crl[{}]", first.authority);
                self.fail(item, VaultFailure::server(what)(error));
            }
        }
    }
}

/// The root of an issuer: the end of what it serves.
fn end(issuer: &ObservedIssuer) -> &Certificate {
    let roots = issuer.above.iter().rev();
    let mut roots = roots.filter(|each| each.is_self_issued() && each.signed_by(each));
    roots.next().unwrap_or(&issuer.certificate)
}
