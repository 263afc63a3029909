// SPDX-License-Identifier: Apache-2.0
//! What is shown to prove a name (RFC 8555 §8, and the drafts of dns-account-01 and dns-persist-01).

use data_encoding::BASE32_NOPAD;
use pki::Timestamp;
use pki::jws::base64url;
use serde::{Deserialize, Serialize};

use crate::problem::clean;
use crate::{Authorization, Challenge, Error, Identifier, Result};

/// A kind of challenge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum ChallengeKind {
    /// A TXT record at `_acme-challenge`.
    Dns01,
    /// A TXT record below a label of the account.
    DnsAccount01,
    /// A TXT record that stays.
    DnsPersist01,
    /// A file on port 80.
    Http01,
    /// A certificate on port 443.
    TlsAlpn01,
    /// What is not known here; the server may offer what it likes.
    Other(String),
}

impl ChallengeKind {
    /// As the server writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Dns01 => "dns-01",
            Self::DnsAccount01 => "dns-account-01",
            Self::DnsPersist01 => "dns-persist-01",
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for ChallengeKind {
    fn from(text: String) -> Self {
        let known = [
            Self::Dns01,
            Self::DnsAccount01,
            Self::DnsPersist01,
            Self::Http01,
            Self::TlsAlpn01,
        ];
        let found = known.into_iter().find(|kind| kind.as_str() == text);
        found.unwrap_or_else(|| Self::Other(clean(&text)))
    }
}

impl From<ChallengeKind> for String {
    fn from(kind: ChallengeKind) -> Self {
        kind.as_str().to_owned()
    }
}

/// Who proves: the account's URL and the thumbprint of its key.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The URL of the account.
    pub account: &'a str,
    /// RFC 7638.
    pub thumbprint: &'a str,
}

/// What must be seen before the challenge is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Proof {
    /// A file below `http://NAME/`, on port 80.
    File {
        /// Its path, with a slash before it.
        path: String,
        /// What is in it, and nothing else.
        content: String,
    },
    /// A TXT record.
    Txt {
        /// Its name, without a final dot.
        name: String,
        /// Its value.
        value: String,
        /// Whether it stays after the certificate is there.
        stays: bool,
    },
}

impl Proof {
    /// What the account must show for a name by a kind of challenge.
    ///
    /// # Errors
    /// [`Error::ChallengeMissing`] if the server does not offer it; [`Error::BadAnswer`] for a token that is none.
    pub fn of(
        authorization: &Authorization,
        kind: &ChallengeKind,
        holder: Holder<'_>,
    ) -> Result<(Self, Challenge)> {
        let missing = || Error::ChallengeMissing {
            identifier: authorization.ordered(),
            wanted: kind.as_str().to_owned(),
            offered: authorization
                .challenges
                .iter()
                .map(|challenge| challenge.kind.as_str().to_owned())
                .collect(),
        };
        let challenge = authorization.challenge(kind).ok_or_else(missing)?;
        let proof = match (kind, &authorization.identifier) {
            (ChallengeKind::Http01, Identifier::Dns(_) | Identifier::Ip(_)) => Self::File {
                path: format!("/.well-known/acme-challenge/{}", token(challenge)?),
                content: key_authorization(challenge, holder)?,
            },
            (ChallengeKind::Dns01, Identifier::Dns(name)) => Self::Txt {
                name: format!("_acme-challenge.{name}"),
                value: digest(challenge, holder)?,
                stays: false,
            },
            (ChallengeKind::DnsAccount01, Identifier::Dns(name)) => Self::Txt {
                name: format!("{}._acme-challenge.{name}", account_label(holder.account)),
                value: digest(challenge, holder)?,
                stays: false,
            },
            (ChallengeKind::DnsPersist01, Identifier::Dns(name)) => {
                let issuer = challenge.issuer_domain_names.first().ok_or_else(missing)?;
                let wildcard = authorization.wildcard;
                let value = persistent_value(issuer, holder.account, wildcard, None)
                    .map_err(|reason| Error::bad_answer(&challenge.url, reason))?;
                Self::Txt {
                    name: persistent_name(name),
                    value,
                    stays: true,
                }
            }
            _ => return Err(missing()),
        };
        Ok((proof, challenge.clone()))
    }
}

/// The token, which goes into a path and a file: what RFC 8555 §8 does not allow in it, is not put there.
fn token(challenge: &Challenge) -> Result<&str> {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match &challenge.token {
        Some(token) if (22..=256).contains(&token.len()) && token.bytes().all(is_base64url) => {
            Ok(token)
        }
        _ => Err(Error::bad_answer(
            &challenge.url,
            "its token is missing, too short or no base64url",
        )),
    }
}

/// RFC 8555 §8.1.
fn key_authorization(challenge: &Challenge, holder: Holder<'_>) -> Result<String> {
    Ok(format!("{}.{}", token(challenge)?, holder.thumbprint))
}

/// RFC 8555 §8.4.
fn digest(challenge: &Challenge, holder: Holder<'_>) -> Result<String> {
    let text = key_authorization(challenge, holder)?;
    Ok(base64url(&pki::jws::sha256(text.as_bytes())))
}

/// The label of an account, of ten bytes of its digest (draft-ietf-acme-dns-account-label §3.1).
pub fn account_label(account: &str) -> String {
    let digest = pki::jws::sha256(account.as_bytes());
    let label = BASE32_NOPAD.encode(digest.get(..10).unwrap_or(&digest));
    format!("_{}", label.to_ascii_lowercase())
}

/// Where the record of dns-persist-01 is (draft-ietf-acme-dns-persist §4).
pub fn persistent_name(domain: &str) -> String {
    format!("_validation-persist.{domain}")
}

/// The value of that record, in the form of a CAA record's `issue` (RFC 8659 §4.2).
///
/// # Errors
/// What cannot stand in it: it could give the name to somebody else.
pub fn persistent_value(
    issuer: &str,
    account: &str,
    wildcard: bool,
    until: Option<Timestamp>,
) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if issuer.is_empty() || !issuer.bytes().all(is_name) {
        return Err(format!(
            "the issuer '{}' is no DNS name",
            issuer.escape_debug()
        ));
    }
    if !account.bytes().all(is_plain) {
        return Err("the account's URL cannot stand in a record".to_owned());
    }
    let mut value = format!("{}; accounturi={account}", issuer.to_ascii_lowercase());
    if wildcard {
        value.push_str("; policy=wildcard");
    }
    if let Some(until) = until {
        value.push_str(&format!("; persistUntil={}", until.0));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// The URL and label of draft-ietf-acme-dns-account-label.
    #[test]
    fn the_label_of_an_account_is_that_of_the_draft() {
        let label = account_label("https://example.com/acme/acct/ExampleAccount");
        assert_eq!(label, "_ujmmovf2vn55tgye");
    }

    fn authorization(kind: &str, token: &str) -> Authorization {
        serde_json::from_value(serde_json::json!({
            "identifier": {"type": "dns", "value": "example.org"}, "status": "pending",
            "challenges": [
                {"type": "onion-csr-01", "url": "https://ca.example/c/0", "status": "pending", "extra": {"a": []}},
                {"type": kind, "url": "https://ca.example/c/1", "status": "pending", "token": token},
            ]}))
        .unwrap()
    }

    const HOLDER: Holder<'_> = Holder {
        account: "https://ca.example/a/1",
        thumbprint: "thumb",
    };

    #[test]
    fn a_kind_that_is_not_known_does_no_harm_and_one_that_is_missing_is_named() {
        let offered = authorization("http-01", "DGyRejmCefe7v4NfDGDKfA");
        let error = Proof::of(&offered, &ChallengeKind::Dns01, HOLDER).unwrap_err();
        assert_eq!(
            error.to_string(),
            "example.org cannot be proved by dns-01; the server offers onion-csr-01, http-01"
        );
        let (proof, _) = Proof::of(&offered, &ChallengeKind::Http01, HOLDER).unwrap();
        assert_eq!(
            proof,
            Proof::File {
                path: "/.well-known/acme-challenge/DGyRejmCefe7v4NfDGDKfA".into(),
                content: "DGyRejmCefe7v4NfDGDKfA.thumb".into(),
            }
        );
    }

    #[test]
    fn a_hostile_kind_is_cut_and_cleaned() {
        let kind = ChallengeKind::from(format!("\u{1b}[2J{}", "a".repeat(9_999)));
        assert!(!kind.as_str().contains('\u{1b}') && kind.as_str().len() < 3_000);
    }

    #[test]
    fn a_token_that_leads_out_of_its_directory_is_refused() {
        for token in [
            "../../../../etc/passwd/aaaaaaaa",
            "short",
            &"a".repeat(257),
            "",
        ] {
            let hostile = authorization("http-01", token);
            let error = Proof::of(&hostile, &ChallengeKind::Http01, HOLDER).unwrap_err();
            assert_eq!(error.kind(), "acme.bad_answer", "{token}");
        }
    }

    #[test]
    fn a_persistent_record_says_whose_it_is_and_nothing_else() {
        let value = |issuer, account| persistent_value(issuer, account, true, Some(Timestamp(1)));
        assert_eq!(
            value("CA.example", "https://ca.example/a/1").unwrap(),
            "ca.example; accounturi=https://ca.example/a/1; policy=wildcard; persistUntil=1"
        );
        assert!(
            value(
                "ca.example; accounturi=https://evil.example",
                "https://ca.example/a/1"
            )
            .is_err()
        );
        assert!(value("ca.example", "https://ca.example/a/1; policy=wildcard").is_err());
    }
}
