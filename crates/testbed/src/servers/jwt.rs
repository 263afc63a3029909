// SPDX-License-Identifier: Apache-2.0
//! Signs JSON Web Tokens, as an identity provider does.

use openssl::base64::encode_block;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};

use crate::must;

/// A key of an identity provider.
#[derive(Debug)]
pub struct JwtSigner {
    key: PKey<Private>,
}

impl Default for JwtSigner {
    fn default() -> Self {
        Self::new()
    }
}

impl JwtSigner {
    /// Makes a key.
    #[track_caller]
    pub fn new() -> Self {
        let made = Rsa::generate(2048).and_then(PKey::from_rsa);
        Self {
            key: must(made, "cannot make a key"),
        }
    }

    /// Its public key, in PEM.
    #[track_caller]
    pub fn public_pem(&self) -> String {
        let pem = must(self.key.public_key_to_pem(), "cannot write a key");
        String::from_utf8_lossy(&pem).into_owned()
    }

    /// A token with these claims (RS256).
    #[track_caller]
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let [header, claims] = [&header, claims].map(|part| base64url(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let signer = Signer::new(MessageDigest::sha256(), &self.key);
        let signature = signer.and_then(|mut signer| signer.sign_oneshot_to_vec(signed.as_bytes()));
        let signature = base64url(&must(signature, "cannot sign"));
        format!("{signed}.{signature}")
    }
}

fn base64url(bytes: &[u8]) -> String {
    let text = encode_block(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').replace('\n', "")
}
