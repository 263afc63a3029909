// SPDX-License-Identifier: Apache-2.0
//! What was issued gets to its places, and what is damaged there is written again.

use std::path::PathBuf;

use acme::state::State;
use pki::Certificate;
use tls_files::{Attributes, FileChange, Target};
use zeroize::Zeroizing;

use super::{Item, Task, fail};
use crate::decide::Decision;
use crate::failure::CertificateError;
use crate::observe::{self, content};
use crate::outcome::CertificateOutcome;
use crate::request::{CertificateWish, Content};
use crate::steps::Progress;

/// The files that were changed, and warnings.
pub(super) type Installed = Result<(Vec<PathBuf>, Vec<String>), CertificateError>;

impl Task<'_> {
    /// Installs what was issued. First the copy: with it the next run writes the files without an order, whatever
    /// happens then. What could resume the order is of no use any more, and neither is what was said of the old one.
    pub(super) fn installed(&self, one: &Progress<'_>) -> Option<Installed> {
        let issued = one.issued.as_ref().filter(|_| one.error.is_none())?;
        let (due, chain) = (one.due, &issued.chain.certificates);
        let files = due.wish.files.iter();
        let all: Vec<PathBuf> = files.map(|file| file.target.path.clone()).collect();
        let kept = self.keep(due.wish, chain).map(|()| {
            let said = observe::renewal(self.request, due.wish);
            let forgotten = [State::finish(&due.state), State::forget(&said)];
            let failed = forgotten.into_iter().filter_map(Result::err);
            failed.map(|error| error.to_string()).collect::<Vec<_>>()
        });
        Some(kept.and_then(|warned| {
            let (files, mut warnings) = self.install(due.wish, chain, &all)?;
            warnings.extend(warned);
            Ok((files, warnings))
        }))
    }

    pub(super) fn repair(&self, items: &[Item<'_>], outcomes: &mut [CertificateOutcome]) {
        for (item, outcome) in items.iter().zip(outcomes) {
            let (Ok(seen), Some(Decision::Repair { .. })) = (&item.seen, &item.decision) else {
                continue;
            };
            let kept = self.keep(item.wish, &seen.current);
            match kept.and_then(|()| self.install(item.wish, &seen.current, &seen.drifted)) {
                Ok((files, warnings)) => {
                    outcome.status = "repaired";
                    outcome.changed = true;
                    outcome.files = files;
                    outcome.warnings.extend(warnings);
                }
                Err(error) => fail(outcome, &error),
            }
        }
    }

    /// The copy that tells later runs what is in service.
    fn keep(&self, wish: &CertificateWish, chain: &[Certificate]) -> Result<(), CertificateError> {
        let target = Target {
            path: observe::kept(self.request, wish),
            attributes: Attributes::default(),
            secret: false,
            backup: false,
        };
        let content = Zeroizing::new(content(Content::Fullchain, chain).into_bytes());
        tls_files::install(&wish.name, vec![FileChange { target, content }])?;
        Ok(())
    }

    /// The files of a certificate that are wanted, all or none.
    fn install(
        &self,
        wish: &CertificateWish,
        chain: &[Certificate],
        wanted: &[PathBuf],
    ) -> Installed {
        let files = wish
            .files
            .iter()
            .filter(|file| wanted.contains(&file.target.path));
        let changes: Vec<FileChange> = files
            .map(|file| FileChange {
                target: file.target.clone(),
                content: Zeroizing::new(content(file.content, chain).into_bytes()),
            })
            .collect();
        let installed = tls_files::install(&wish.name, changes)?;
        Ok((installed.files, installed.warnings))
    }
}
