// SPDX-License-Identifier: Apache-2.0
//! The proofs of one certificate on a responder that several share.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{Responder, SelfCheck};
use crate::orders::in_parallel;
use crate::state::Wanted;
use crate::{Proof, Publisher};

/// Shows files. One for each certificate, so that each takes back its own.
#[derive(Debug)]
pub struct HttpPublisher<'a> {
    responder: Option<&'a Responder>,
    check: Option<&'a SelfCheck>,
    own: Mutex<BTreeSet<String>>,
    warnings: Mutex<Vec<String>>,
}

impl<'a> HttpPublisher<'a> {
    /// Without a responder nothing can be shown, but an order that is past that goes on. Without a check the certificate
    /// authority looks first.
    pub fn new(responder: Option<&'a Responder>, check: Option<&'a SelfCheck>) -> Self {
        Self {
            responder,
            check,
            own: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// What the operator should look at.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock();
        warnings.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Publisher for HttpPublisher<'_> {
    fn publish(&self, proofs: &mut [Wanted]) -> Result<(), String> {
        let responder = self.responder.ok_or("nothing listens for http-01")?;
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        for wanted in proofs.iter() {
            let Proof::File { path, content } = &wanted.proof else {
                return Err(format!("{} is not proved by a file", wanted.identifier));
            };
            responder.show(path, content);
            own.insert(path.clone());
        }
        let Some(check) = self.check else {
            return Ok(());
        };
        // All names of a certificate have the time of one.
        let begun = Instant::now();
        let told = in_parallel(proofs, |wanted| match &wanted.proof {
            Proof::File { path, content } => {
                check.wait_since(begun, &wanted.identifier, path, content)
            }
            Proof::Txt { .. } => Ok(None),
        })?;
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.extend(told.into_iter().flatten());
        Ok(())
    }

    /// What an earlier process showed went with it.
    fn withdraw(&self, _proofs: &[Wanted]) -> Result<(), String> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        for path in std::mem::take(&mut *own) {
            if let Some(responder) = self.responder {
                responder.hide(&path);
            }
        }
        Ok(())
    }
}
