// SPDX-License-Identifier: Apache-2.0
//! What the server makes: roots, keys, and certificates that one of its issuers signs.

use ::vault::Error;
use ::vault::pki::Mount;
use pki::chain::{parse_bundle, verify_authority};
use pki::{Certificate, CertificateRequest};
use serde_json::{Map, Value};

use super::Work;
use crate::failure::Failure;
use crate::vault::failure::VaultFailure;
use crate::vault::observe::{ObservedKey, mount};
use crate::vault::plan::Signing;
use crate::vault::request::Wish;
use crate::vault::subject;

impl Work<'_> {
    /// A root inside the server. After an answer that was lost it is looked for: it may be there.
    pub(super) fn root(
        &mut self,
        wish: &Wish,
        body: &Map<String, Value>,
        of_key: bool,
    ) -> Result<(), Failure> {
        let before = mount(self.vault, &self.request.mount)?;
        let body = Value::Object(body.clone());
        let api = self.mount();
        let made = if of_key {
            api.generate_root_existing(&body)
        } else {
            api.generate_root(&body)
        };
        let failed = VaultFailure::server(format!("make root '{}'", wish.name()));
        match made {
            Ok(made) => self.remark(wish, &made.warnings),
            Err(error) if may_be_done(&error) => {
                let found = self.look(wish.name().as_str())?;
                let wished = wish.base.names.subject();
                let is_ours = found
                    .is_some_and(|root| subject::same(&root.certificate.facts().subject, wished));
                if !is_ours {
                    return Err(failed(error));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        self.applied.changed = true;
        self.keep_default(&before)
    }

    /// A key with its request.
    pub(super) fn key(
        &mut self,
        wish: &Wish,
        body: &Map<String, Value>,
    ) -> Result<CertificateRequest, Failure> {
        let what = || {
            format!(
                "make key '{}' of authority '{}'",
                wish.key_name,
                wish.name()
            )
        };
        let made = self
            .mount()
            .generate_intermediate(&Value::Object(body.clone()));
        match made {
            Ok(made) => {
                self.applied.changed = true;
                self.remark(wish, &made.warnings);
                understood(wish, &made.csr)
            }
            Err(error) if may_be_done(&error) => {
                // It may be there; then its request is made again, which changes nothing.
                let found = mount(self.vault, &self.request.mount)?;
                let Some(key) = found.key(&wish.key_name) else {
                    return Err(VaultFailure::server(what())(error));
                };
                self.applied.changed = true;
                self.request_of(wish, &key.id, body)
            }
            Err(error) => Err(VaultFailure::server(what())(error)),
        }
    }

    /// The request of a key that is there.
    pub(super) fn request_of(
        &self,
        wish: &Wish,
        key_id: &str,
        fields: &Map<String, Value>,
    ) -> Result<CertificateRequest, Failure> {
        let mut body = fields.clone();
        for of_new in ["key_name", "key_type", "key_bits"] {
            body.remove(of_new);
        }
        body.insert("key_ref".to_owned(), key_id.into());
        let what = format!("make the request of authority '{}'", wish.name());
        let made = self
            .mount()
            .intermediate_existing(&Value::Object(body))
            .map_err(VaultFailure::server(what))?;
        understood(wish, &made.csr)
    }

    /// An intermediate below another issuer of the server.
    pub(super) fn sign(&mut self, wish: &Wish, signing: &Signing) -> Result<(), Failure> {
        let request = match signing.subject.get("key_ref").and_then(Value::as_str) {
            Some(key) => self.request_of(wish, key, &signing.subject)?,
            None => self.key(wish, &signing.subject)?,
        };
        let chain = self.signed(wish, signing, &request)?;
        let key_id = self.key_of(wish, &request)?;
        self.take_in(wish, &signing.issuer, &key_id, &chain)
    }

    /// The key of an issuer under a second signer.
    pub(super) fn bridge(&mut self, wish: &Wish, signing: &Signing) -> Result<(), Failure> {
        let issuer = self.issuer(wish.name().as_str())?;
        let Some(key_id) = &issuer.key_id else {
            return Err(VaultFailure::Keyless {
                authority: wish.name().clone(),
                mount: self.request.mount.clone(),
            }
            .into());
        };
        let request = self.request_of(wish, key_id, &signing.subject)?;
        let chain = self.signed(wish, signing, &request)?;
        let same_name = chain
            .first()
            .is_some_and(|made| made.facts().subject_der == issuer.certificate.facts().subject_der);
        if !same_name {
            return Err(VaultFailure::Proof {
                authority: wish.name().clone(),
                problem: format!(
                    "the second certificate has the subject '{}' in another form, so no chain would lead through it",
                    issuer.certificate.facts().subject
                ),
            }
            .into());
        }
        self.take_in(wish, &signing.issuer, key_id, &chain)
    }

    /// Signs the request and verifies what came back: it first, all above it behind.
    fn signed(
        &mut self,
        wish: &Wish,
        signing: &Signing,
        request: &CertificateRequest,
    ) -> Result<Vec<Certificate>, Failure> {
        let mut body = signing.body.clone();
        body.insert("csr".to_owned(), request.to_pem().into());
        let what = format!(
            "let issuer '{}' of mount '{}' sign authority '{}'",
            signing.parent,
            signing.parent_mount,
            wish.name()
        );
        let signed = Mount::new(self.vault, &signing.parent_mount)
            .sign_intermediate(&signing.parent, &Value::Object(body))
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        self.remark(wish, &signed.warnings);
        let unverified = |source| Failure::Unverified {
            authority: wish.name().clone(),
            source: Box::new(source),
        };
        let text = std::iter::once(signed.certificate)
            .chain(signed.ca_chain)
            .collect::<Vec<_>>()
            .join("\n");
        let pool = parse_bundle(text.as_bytes()).map_err(unverified)?;
        let now = self.within(pool.first());
        let verified =
            verify_authority(pool, &request.public_key(), now, true).map_err(unverified)?;
        Ok(std::iter::once(verified.certificate().clone())
            .chain(verified.chain())
            .collect())
    }

    /// The identifier of the key of a request.
    fn key_of(&self, wish: &Wish, request: &CertificateRequest) -> Result<String, Failure> {
        let found = mount(self.vault, &self.request.mount)?;
        let public = request.public_key();
        let key = found.keys.iter().find(|key: &&ObservedKey| key.is(&public));
        let key = key.or_else(|| found.key(&wish.key_name));
        key.map(|key| key.id.clone()).ok_or_else(|| {
            VaultFailure::Mapping {
                authority: wish.name().clone(),
                mount: self.request.mount.clone(),
                key_name: wish.key_name.clone(),
            }
            .into()
        })
    }

    /// Remarks of the server, but those on URLs of the mount, which `vault_config.urls` is for, and on what was wished.
    pub(super) fn remark(&mut self, wish: &Wish, warnings: &[String]) {
        const KNOWN: [&str; 2] = [
            "hasn't configured any authority information access",
            "Max path length of the signed certificate is zero",
        ];
        let others = warnings
            .iter()
            .filter(|text| !KNOWN.iter().any(|known| text.contains(known)));
        for text in others {
            self.applied
                .warnings
                .push(format!("authority '{}': {text}", wish.name()));
        }
    }
}

/// Whether the server may have done it all the same, or somebody else did.
fn may_be_done(error: &Error) -> bool {
    match error {
        Error::LostAnswer { .. } => true,
        Error::Refused { reason, .. } => reason.contains("already in use"),
        _ => false,
    }
}

fn understood(wish: &Wish, csr: &str) -> Result<CertificateRequest, Failure> {
    CertificateRequest::from_pem(csr.as_bytes()).map_err(Failure::pki(format!(
        "read the request of authority '{}'",
        wish.name()
    )))
}
