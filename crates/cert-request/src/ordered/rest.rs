// SPDX-License-Identifier: Apache-2.0
//! A server that does not want to be asked for a certificate before an instant is not asked, not even for its directory.

use acme::state::{Resume, Seen, State, Wish, resume};
use acme::{Error, Identifier};
use pki::{PrivateKey, Timestamp};
use tls_files::Observed;

use super::Place;
use crate::request::AcmeSpec;

/// Why nothing is asked for it now. `None` also if that cannot be told without the server.
pub(super) fn of(
    spec: &AcmeSpec,
    place: &Place,
    identifiers: &[Identifier],
    now: Timestamp,
) -> Option<Error> {
    let state = State::load(&place.state()).ok()??;
    let key_thumbprint = thumbprint(spec)?;
    let wish = Wish {
        directory: &spec.authority.directory,
        key_thumbprint: &key_thumbprint,
        identifiers,
        profile: spec.profile.as_deref(),
        public_key_sha256: "",
        deadline: spec.shared.patience.deadline,
    };
    match resume(Some(&state), Seen::NotAsked, &wish, now) {
        Resume::NotBefore(retry_at) => Some(Error::NotYet {
            url: web::shown(&spec.authority.directory),
            retry_at,
        }),
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
