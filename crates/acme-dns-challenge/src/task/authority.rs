// SPDX-License-Identifier: Apache-2.0
//! The certificate authority, asked only when it must be, and what it says of renewals.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use acme::{RenewalInfo, Server};
use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use zeroize::Zeroizing;

use super::{Item, Task};
use crate::account::{self, Missing, Opened};
use crate::decide::{Decision, decide};
use crate::failure::CertificateError;
use crate::observe;
use crate::request::{AccountWish, Authority, Request};
use crate::steps::Taken;

/// A server that has been asked, or not yet.
pub(super) struct Asked<'a> {
    request: &'a Request,
    now: SystemTime,
    server: Option<Arc<Server>>,
    failed: Option<CertificateError>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(request: &'a Request, now: SystemTime) -> Self {
        Self {
            request,
            now,
            server: None,
            failed: None,
        }
    }

    fn authority(&self) -> Result<&'a Authority, CertificateError> {
        let authority = self.request.authority.as_ref();
        // A request of such a phase has one: without it, its faults were answered.
        authority.ok_or_else(|| CertificateError::Together(String::from("no server is named")))
    }

    /// The server; its directory is read once.
    pub(super) fn server(&mut self) -> Result<Arc<Server>, CertificateError> {
        if let Some(server) = &self.server {
            return Ok(Arc::clone(server));
        }
        // It was asked with all patience a moment ago.
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let server = account::server(self.request, self.authority()?, self.now)?;
        self.server = Some(Arc::clone(&server));
        Ok(server)
    }

    /// The account, and what was changed on the way to it.
    pub(super) fn account(&mut self, missing: Missing) -> Result<Opened, CertificateError> {
        let server = self.server()?;
        account::account(&server, self.wish()?, missing)
    }

    /// The account as it is wished.
    pub(super) fn wish(&self) -> Result<&'a AccountWish, CertificateError> {
        let wish = self.authority()?.account.as_ref();
        // As above.
        wish.ok_or_else(|| CertificateError::Together(String::from("no account is named")))
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.server.as_ref().map_or(0, |server| server.requests())
    }
}

impl Task<'_> {
    /// Asks the server when certificates that are fine otherwise should be renewed, no more often than it wants. That it
    /// cannot be asked does no harm: the lifetime tells.
    pub(super) fn ask_when_to_renew(
        &self,
        items: &mut [Item<'_>],
        asked: &mut Asked<'_>,
        taken: &mut Taken,
    ) {
        if !self.request.renew.ari {
            return;
        }
        for item in items {
            let Ok(seen) = &item.seen else { continue };
            let is_fine = matches!(
                decide(
                    seen,
                    &self.request.renew,
                    None,
                    &super::seed(&seen.identifiers),
                    self.now()
                ),
                Decision::Keep { .. } | Decision::Repair { .. }
            );
            let Some(leaf) = seen.leaf().filter(|_| is_fine) else {
                continue;
            };
            let path = observe::renewal(self.request, item.wish);
            item.info = load(&path);
            if item
                .info
                .as_ref()
                .is_some_and(|info| info.holds_at(self.now()))
            {
                continue;
            }
            match asked
                .server()
                .and_then(|server| Ok(server.renewal_info(leaf)?))
            {
                Ok(info) => {
                    if !self.control.check_mode {
                        save(&path, &info);
                    }
                    item.info = Some(info);
                }
                Err(CertificateError::Acme(acme::Error::Unsupported { .. })) => {}
                Err(error) => {
                    taken.warnings.push(format!(
                        "'{}': the server was not asked when to renew: {error}",
                        item.wish.name
                    ));
                    asked.failed = Some(error).filter(|_| asked.server.is_none());
                    // Neither would the next certificates be told.
                    return;
                }
            }
        }
    }
}

/// What was said before. One that cannot be read is asked for again.
pub fn load(path: &Path) -> Option<RenewalInfo> {
    match tls_files::observe(path) {
        Observed::Present(file) => serde_json::from_slice(&file.bytes).ok(),
        Observed::Absent | Observed::Unreadable(_) => None,
    }
}

/// Without it the server is only asked again.
pub fn save(path: &Path, info: &RenewalInfo) {
    let Ok(content) = serde_json::to_vec(info) else {
        return;
    };
    let target = Target {
        path: path.to_owned(),
        attributes: Attributes {
            mode: Mode::parse("0600").ok(),
            ..Attributes::default()
        },
        secret: false,
        backup: false,
    };
    let content = Zeroizing::new(content);
    let _ = tls_files::install("acme-renewal", vec![FileChange { target, content }]);
}
