// SPDX-License-Identifier: Apache-2.0
//! Signed requests (RFC 8555 §6.2).

use pki::PrivateKey;
use pki::jws::{HmacAlgorithm, base64url};
use serde_json::{Value, json};

use crate::Result;

/// Who signs: a key that the server does not know yet, or one of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) key: &'a PrivateKey,
    /// The URL of the account; without it the public key goes along.
    pub(crate) account: Option<&'a str>,
}

impl Signer<'_> {
    /// A request. Without a payload it only asks to see ("POST-as-GET").
    pub(crate) fn request(
        &self,
        url: &str,
        nonce: &str,
        payload: Option<&Value>,
    ) -> Result<Vec<u8>> {
        let mut header = self.header(url)?;
        header["nonce"] = nonce.into();
        let payload = payload.map(Value::to_string).unwrap_or_default();
        let signed = self.signed(&header, &payload)?;
        Ok(signed.to_string().into_bytes())
    }

    /// A signature within a request, which has no nonce (RFC 8555 §7.3.5).
    pub(crate) fn inner(&self, url: &str, payload: &Value) -> Result<Value> {
        self.signed(&self.header(url)?, &payload.to_string())
    }

    fn header(&self, url: &str) -> Result<Value> {
        let mut header = json!({ "alg": self.key.jws_algorithm()?, "url": url });
        match self.account {
            Some(account) => header["kid"] = account.into(),
            None => header["jwk"] = jwk(self.key)?,
        }
        Ok(header)
    }

    fn signed(&self, header: &Value, payload: &str) -> Result<Value> {
        flattened(header, payload, |input| Ok(self.key.jws_sign(input)?))
    }
}

/// The public half of a key.
pub(crate) fn jwk(key: &PrivateKey) -> Result<Value> {
    let jwk = key.public_key()?.jwk()?;
    let members = jwk.members().iter();
    Ok(members
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect::<serde_json::Map<_, _>>()
        .into())
}

/// What binds an account to one that the server's operator made elsewhere (RFC 8555 §7.3.4).
pub(crate) fn external_binding(
    key: &PrivateKey,
    url: &str,
    kid: &str,
    secret: &[u8],
    algorithm: HmacAlgorithm,
) -> Result<Value> {
    let header = json!({ "alg": algorithm.name(), "kid": kid, "url": url });
    flattened(&header, &jwk(key)?.to_string(), |input| {
        Ok(algorithm.code(secret, input)?)
    })
}

/// RFC 7515 §7.2.2.
fn flattened(
    header: &Value,
    payload: &str,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<Value> {
    let protected = base64url(header.to_string().as_bytes());
    let payload = base64url(payload.as_bytes());
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    Ok(json!({
        "protected": protected,
        "payload": payload,
        "signature": base64url(&signature),
    }))
}
