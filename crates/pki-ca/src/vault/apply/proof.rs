// SPDX-License-Identifier: Apache-2.0
//! The proof of an issuer: a request that is thrown away is signed, and the certificate must verify with the root alone.

use pki::chain::{Expectation, Trust, parse_bundle, verify};
use pki::{
    Certificate, CertificateRequest, Curve, KeyAlgorithm, Lifetime, PrivateKey, RequestTemplate,
    Subject, Timestamp,
};
use serde_json::json;

use super::Work;
use crate::failure::Failure;
use crate::vault::failure::VaultFailure;
use crate::vault::request::Wish;

/// Long enough for a clock that is a little off; nobody has its key.
const LIFETIME: &str = "300s";

impl Work<'_> {
    /// Has `issuer` (the default one if none is named) sign, and verifies what it sends against `root` only.
    pub(super) fn prove(
        &self,
        wish: &Wish,
        issuer: Option<&str>,
        root: &Certificate,
    ) -> Result<(), Failure> {
        let what = || format!("prove issuer '{}'", wish.name());
        let key =
            PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).map_err(Failure::pki(what()))?;
        let template = RequestTemplate {
            subject: Subject::from_pairs([("CN", "proof of an authority")])
                .map_err(Failure::pki(what()))?,
            ..RequestTemplate::default()
        };
        let request = CertificateRequest::create(&template, &key).map_err(Failure::pki(what()))?;
        let body = json!({"csr": request.to_pem(), "ttl": LIFETIME});
        let signed = self
            .mount()
            .sign_verbatim(issuer, &body)
            .map_err(VaultFailure::server(what()))?;
        let not_proven = |problem: String| {
            Failure::from(VaultFailure::Proof {
                authority: wish.name().clone(),
                problem,
            })
        };
        let text = std::iter::once(signed.certificate)
            .chain(signed.ca_chain)
            .collect::<Vec<_>>()
            .join("\n");
        let mut pool =
            parse_bundle(text.as_bytes()).map_err(|error| not_proven(error.to_string()))?;
        // What is served must lead to the root by itself: a host has the root and nothing else.
        let now = self.within(pool.first());
        pool.retain(|each| each != root);
        let expectation = Expectation {
            public_key: &request.public_key(),
            names: None,
            trust: Trust::Roots(std::slice::from_ref(root)),
            now,
        };
        let verified = verify(pool, &expectation).map_err(|error| not_proven(error.to_string()))?;
        self.check_signer(wish, verified.leaf()).map_err(not_proven)
    }

    /// Our present, moved into the life of `made`: the server makes certificates by its own clock, and after the start of
    /// the task. A clock that is off is warned of; it is no fault of an authority.
    pub(super) fn within(&self, made: Option<&Certificate>) -> Timestamp {
        let Some(made) = made.map(Certificate::facts) else {
            return self.now;
        };
        let last = made.not_after - Lifetime(1);
        self.now.min(last).max(made.not_before)
    }

    /// The proof is of the authority that was meant, not of another with the same root.
    fn check_signer(&self, wish: &Wish, leaf: &Certificate) -> Result<(), String> {
        let own = self.issuer(wish.name().as_str());
        match own {
            Ok(own) if leaf.signed_by(&own.certificate) => Ok(()),
            Ok(_) => Err(format!("it was signed by '{}'", leaf.facts().issuer)),
            Err(failure) => Err(ansible_module::flatten(&failure)),
        }
    }
}
