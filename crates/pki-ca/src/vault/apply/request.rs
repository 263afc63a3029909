// SPDX-License-Identifier: Apache-2.0
//! The request that goes out: shown in the answer, and written to its file.

use tls_files::{Attributes, FileChange, Mode, Target};

use super::Work;
use crate::failure::Failure;
use crate::vault::observe::mount;
use crate::vault::plan::AuthorityPlan;
use crate::vault::request::Wish;
use crate::vault::subject;

impl Work<'_> {
    /// The request of the key by now. A second request of the same key differs in its signature only, so a file that
    /// holds one stays.
    pub(super) fn show_request(
        &mut self,
        wish: &Wish,
        plan: &AuthorityPlan,
    ) -> Result<(), Failure> {
        let found = mount(self.vault, &self.request.mount)?;
        let Some(key) = found.key(&wish.key_name) else {
            return Ok(());
        };
        let mut fields = subject::fields(wish.base.names.subject());
        fields.insert("exclude_cn_from_sans".to_owned(), true.into());
        let request = self.request_of(wish, &key.id, &fields)?;
        if let Some(path) = wish.csr_path.as_ref().filter(|_| plan.writes_request) {
            let change = FileChange {
                target: Target {
                    path: path.clone(),
                    attributes: Attributes {
                        mode: Some(Mode::new(0o644)),
                        ..Attributes::default()
                    },
                    secret: false,
                    backup: false,
                },
                content: request.to_pem().into_bytes().into(),
            };
            let set = format!("request of {}", wish.name());
            tls_files::install(&set, vec![change]).map_err(|source| Failure::Files {
                what: format!("write the request to '{}'", path.display()),
                source,
            })?;
            self.applied.changed = true;
        }
        self.applied.requests.insert(wish.name().clone(), request);
        Ok(())
    }
}
