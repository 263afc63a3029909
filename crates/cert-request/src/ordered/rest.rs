// SPDX-License-Identifier: Apache-2.0
//! A server that does not want to be asked for a certificate before an instant is not asked, not even for its directory.

use std::path::Path;

use acme::state::{Resume, Seen, State, Wish, resume};
use acme::{Error, Identifier};
use acme_dns_challenge::failure::CertificateError;
use pki::{PrivateKey, Timestamp};
use tls_files::Observed;

use super::{Item, Place};
use crate::failure::EntryError;
use crate::request::AcmeSpec;

/// Why nothing is asked for it now. `None` also if that cannot be told without the server.
pub(super) fn of(item: &Item<'_>, state_dir: &Path, now: Timestamp) -> Option<EntryError> {
    let spec = item.spec;
    let place = Place::new(state_dir, item.entry);
    let state = State::load(&place.state()).ok()??;
    let identifiers = Identifier::all_of(&item.entry.template.names).ok()?;
    let key_thumbprint = thumbprint(spec)?;
    let wish = Wish {
        directory: &spec.authority.directory,
        key_thumbprint: &key_thumbprint,
        identifiers: &identifiers,
        profile: spec.profile.as_deref(),
        public_key_sha256: "",
        deadline: spec.shared.patience.deadline,
    };
    match resume(Some(&state), Seen::NotAsked, &wish, now) {
        Resume::NotBefore(retry_at) => {
            let url = web::shown(&spec.authority.directory);
            let error = CertificateError::from(Error::NotYet { url, retry_at });
            Some(EntryError::from(error))
        }
        _ => None,
    }
}

/// Another account has other limits.
fn thumbprint(spec: &AcmeSpec) -> Option<String> {
    let account = spec.authority.account.as_ref()?;
    let Observed::Present(file) = tls_files::observe(&account.key) else {
        return None;
    };
    let key = PrivateKey::from_pem(&file.bytes, None).ok()?;
    Some(key.public_key().ok()?.jwk().ok()?.thumbprint())
}
