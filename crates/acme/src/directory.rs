// SPDX-License-Identifier: Apache-2.0
//! What a server offers (RFC 8555 §7.1.1, RFC 9773 §3, profiles).

use std::collections::BTreeMap;

use serde::Deserialize;

/// The production directory of Let's Encrypt.
pub const LETSENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// The directory of Let's Encrypt for trials, whose certificates nobody trusts.
pub const LETSENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// The URLs of a server, and what it says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where nonces come from.
    pub new_nonce: String,
    /// Where accounts are made.
    pub new_account: String,
    /// Where orders are made.
    pub new_order: String,
    /// Where names are proved ahead of an order.
    pub new_authz: Option<String>,
    /// Where certificates are revoked.
    pub revoke_cert: Option<String>,
    /// Where an account gets another key.
    pub key_change: Option<String>,
    /// Where the server says when to renew.
    pub renewal_info: Option<String>,
    /// What it says of itself.
    #[serde(default)]
    pub meta: Meta,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// The terms of service.
    pub terms_of_service: Option<String>,
    /// Its home page.
    pub website: Option<String>,
    /// What CAA records may name to allow it.
    pub caa_identities: Vec<String>,
    /// Whether accounts need external credentials.
    pub external_account_required: bool,
    /// Its profiles, with a description each.
    pub profiles: BTreeMap<String, String>,
}

/// What people call a directory: `letsencrypt`, `letsencrypt-staging`, or its URL.
pub fn directory_url(name: &str) -> &str {
    match name {
        "letsencrypt" => LETSENCRYPT,
        "letsencrypt-staging" => LETSENCRYPT_STAGING,
        url => url,
    }
}

impl Directory {
    /// All URLs.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        let optional = [
            &self.new_authz,
            &self.revoke_cert,
            &self.key_change,
            &self.renewal_info,
        ];
        [&self.new_nonce, &self.new_account, &self.new_order]
            .into_iter()
            .map(String::as_str)
            .chain(optional.into_iter().filter_map(Option::as_deref))
    }
}
