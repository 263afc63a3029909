// SPDX-License-Identifier: Apache-2.0
//! Having certificates signed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Mount;
use crate::{Answer, Repeat, Result};

/// What a role is asked to sign. The role decides whether these names or those of the request count; the others are
/// ignored with a warning, and lifetimes may be cut: compare what comes back.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct SignRequest {
    /// The request, in PEM.
    pub csr: String,
    /// The common name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// DNS names and mail addresses, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alt_names: String,
    /// Addresses, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip_sans: String,
    /// URIs, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri_sans: String,
    /// Other names: `OID;UTF8:text`, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub other_sans: String,
    /// The lifetime; without one the role's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Whether the common name is no name of the certificate otherwise.
    pub exclude_cn_from_sans: bool,
}

/// What was signed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Who signed it.
    #[serde(default)]
    pub issuing_ca: String,
    /// From whom who signed it to the root, the root too. Missing where the issuer is a root of a Vault before 1.11.
    #[serde(default)]
    pub ca_chain: Vec<String>,
    /// Its serial number, in pairs with colons.
    pub serial_number: String,
    /// Its end, in seconds since 1970.
    #[serde(default)]
    pub expiration: i64,
    /// What the server remarks: names that it ignored, a lifetime that it cut.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl Signed {
    pub(super) fn of(answer: Answer) -> Result<Self> {
        let mut signed: Self = answer.parsed()?;
        signed.warnings = answer.warnings;
        Ok(signed)
    }
}

impl Mount<'_> {
    /// Has a request signed under a role, by its issuer or by the one that is named. A repetition issues another
    /// certificate, of which nobody hears: nothing is worse for it.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn sign(&self, role: &str, issuer: Option<&str>, request: &SignRequest) -> Result<Signed> {
        let rest = match issuer {
            Some(issuer) => format!("issuer/{issuer}/sign/{role}"),
            None => format!("sign/{role}"),
        };
        let body = json!(request);
        Signed::of(self.vault.write(&self.below(&rest), &body, Repeat::Safe)?)
    }

    /// Has a key and a certificate made by the server; the answer has `private_key` too. Only where it must be so: the key
    /// crosses the network.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn issue(&self, role: &str, issuer: Option<&str>, body: &Value) -> Result<Answer> {
        let rest = match issuer {
            Some(issuer) => format!("issuer/{issuer}/issue/{role}"),
            None => format!("issue/{role}"),
        };
        self.vault.write(&self.below(&rest), body, Repeat::Safe)
    }

    /// Has a request signed as it is, without a role's rules: `csr`, `ttl` in the body. For the proof of an authority.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn sign_verbatim(&self, issuer: Option<&str>, body: &Value) -> Result<Signed> {
        let rest = match issuer {
            Some(issuer) => format!("issuer/{issuer}/sign-verbatim"),
            None => "sign-verbatim".to_owned(),
        };
        Signed::of(self.vault.write(&self.below(&rest), body, Repeat::Safe)?)
    }
}
