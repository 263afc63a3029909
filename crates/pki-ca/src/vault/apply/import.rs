// SPDX-License-Identifier: Apache-2.0
//! Takes certificates of authorities in, and takes them back if the server does not bind them to their key.

use pki::Certificate;

use super::Work;
use crate::failure::Failure;
use crate::vault::failure::VaultFailure;
use crate::vault::observe::{ObservedMount, mount};
use crate::vault::plan::Import;
use crate::vault::request::Wish;

impl Work<'_> {
    /// An upload: taken in, named and proven, or taken back.
    pub(super) fn import(&mut self, wish: &Wish, import: &Import) -> Result<(), Failure> {
        let before = mount(self.vault, &self.request.mount)?;
        let name = wish.name().to_string();
        self.take_in(wish, &name, &import.key_id, &import.bundle)?;
        let Some(root) = &import.root else {
            return Ok(());
        };
        let proven = self.prove(wish, Some(&name), root);
        if proven.is_err() {
            self.take_back(wish, &before, &import.bundle);
        }
        proven
    }

    /// Imports `chain`, whose first certificate is of the key, and names it.
    pub(super) fn take_in(
        &mut self,
        wish: &Wish,
        name: &str,
        key_id: &str,
        chain: &[Certificate],
    ) -> Result<(), Failure> {
        let before = mount(self.vault, &self.request.mount)?;
        let text: String = chain.iter().map(Certificate::to_pem).collect();
        let what = format!("take in the certificate of authority '{}'", wish.name());
        let done = self
            .mount()
            .set_signed(&text)
            .map_err(VaultFailure::server(what));
        let imported = match done {
            Ok(imported) => imported,
            Err(failure) => {
                self.take_back(wish, &before, chain);
                return Err(failure);
            }
        };
        self.applied.changed = true;
        self.remark(wish, &imported.warnings);
        let id = self.bound(wish, key_id, chain)?;
        let Some(id) = id else {
            self.take_back(wish, &before, chain);
            return Err(VaultFailure::Mapping {
                authority: wish.name().clone(),
                mount: self.request.mount.clone(),
                key_name: wish.key_name.clone(),
            }
            .into());
        };
        if let Err(failure) = self.name(&id, name) {
            self.take_back(wish, &before, chain);
            return Err(failure);
        }
        self.keep_default(&before)
    }

    /// The issuer with the first certificate of the chain, if the server has bound it to the key.
    fn bound(
        &self,
        wish: &Wish,
        key_id: &str,
        chain: &[Certificate],
    ) -> Result<Option<String>, Failure> {
        let now = mount(self.vault, &self.request.mount)?;
        let Some(certificate) = chain.first() else {
            return Ok(None);
        };
        debug_assert!(!wish.name().as_str().is_empty());
        let mut issuers = now.issuers.into_iter();
        let found = issuers.find(|issuer| {
            issuer.certificate == *certificate && issuer.key_id.as_deref() == Some(key_id)
        });
        Ok(found.map(|issuer| issuer.id))
    }

    /// Removes what this run has taken in. What made that necessary is the failure of the task; that something stays is
    /// said beside it.
    fn take_back(&mut self, wish: &Wish, before: &ObservedMount, chain: &[Certificate]) {
        if let Err(failure) = self.remove_new(before, chain) {
            self.applied.warnings.push(format!(
                "what was taken in for authority '{}' is still in mount '{}': {}",
                wish.name(),
                self.request.mount,
                ansible_module::flatten(&failure)
            ));
        }
    }

    /// Removes issuers of the chain that were not there before. One that somebody has named meanwhile is his, but for the
    /// authority itself.
    fn remove_new(&mut self, before: &ObservedMount, chain: &[Certificate]) -> Result<(), Failure> {
        let now = mount(self.vault, &self.request.mount)?;
        for issuer in &now.issuers {
            let is_new = before.issuers.iter().all(|other| other.id != issuer.id);
            let is_own = chain.first() == Some(&issuer.certificate);
            let is_ours = is_own || (issuer.name.is_empty() && chain.contains(&issuer.certificate));
            if is_new && is_ours {
                let what = format!("take back issuer '{}'", issuer.label());
                self.mount()
                    .delete_issuer(&issuer.id)
                    .map_err(VaultFailure::server(what))?;
                self.applied.changed = true;
            }
        }
        Ok(())
    }

    /// A mount may let the default follow the latest issuer; here only state active moves it.
    pub(super) fn keep_default(&mut self, before: &ObservedMount) -> Result<(), Failure> {
        let Some(default) = before.default_issuer() else {
            return Ok(());
        };
        let api = self.mount();
        let what = "look at the default issuer";
        let now = api.default_issuer().map_err(VaultFailure::server(what))?;
        if now.as_ref() != Some(&default.id) {
            let what = format!("keep '{}' the default issuer", default.label());
            api.set_default_issuer(&default.id)
                .map_err(VaultFailure::server(what))?;
        }
        Ok(())
    }
}
