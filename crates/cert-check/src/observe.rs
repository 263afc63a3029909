// SPDX-License-Identifier: Apache-2.0
//! What is there: what endpoints serve and by whom, what is in files, whose certificates count, and what was revoked.
//! Reads and probes only; what cannot be read is never taken for absent.

mod attribution;
mod crowd;
mod files;
mod lists;
mod roots;
mod serving;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pki::Certificate;

pub use attribution::Server;
pub use files::{Contents, KeySeen};
pub use lists::ListSeen;
pub use roots::Roots;
pub use serving::{EndpointSeen, Served, Trouble};

use crate::failure::Failure;
use crate::request::Request;

/// Everything that a judgement needs to know.
#[derive(Debug)]
pub struct Observed {
    /// Whose certificates count.
    pub roots: Roots,
    /// In the order of the request.
    pub endpoints: Vec<EndpointSeen>,
    /// Each file once: those of the request, and those that endpoints must serve.
    pub files: BTreeMap<PathBuf, Contents>,
    /// In the order of the request's files.
    pub keys: Vec<KeySeen>,
    /// Lists of revoked certificates.
    pub lists: Vec<ListSeen>,
    /// What could not be found out, beside what is told of each endpoint and file.
    pub warnings: Vec<String>,
}

/// Certificates that were seen, each once: the same few authorities are behind hundreds of endpoints.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<Vec<u8>, Arc<Certificate>>>);

impl Seen {
    pub(crate) fn certificate(&self, der: &[u8]) -> Result<Arc<Certificate>, pki::Error> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = known().get(der) {
            return Ok(Arc::clone(certificate));
        }
        let certificate = Arc::new(Certificate::from_der(der)?);
        known().insert(der.to_vec(), Arc::clone(&certificate));
        Ok(certificate)
    }
}

/// Looks at everything.
///
/// # Errors
/// Nothing can be judged: the roots cannot be read, or TLS cannot be prepared.
pub fn observe(request: &Request) -> Result<Observed, Failure> {
    let started = Instant::now();
    let roots = Roots::read(&request.trust)?;
    let seen = Seen::default();
    let (files, keys) = files::read(request);
    let mut warnings = roots.warnings.clone();
    let endpoints = serving::look(request, &seen, started, &mut warnings)?;
    let lists = lists::read(request, &endpoints, &files, started);
    Ok(Observed {
        roots,
        endpoints,
        files,
        keys,
        lists,
        warnings,
    })
}
