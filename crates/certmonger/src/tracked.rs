// SPDX-License-Identifier: Apache-2.0
//! A request that certmonger tracks, as it describes it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::State;
use crate::wire::Value;

/// The object of a request. certmonger numbers them when it starts: never to be stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestPath(pub(crate) String);

impl RequestPath {
    /// From an object path.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything about a request that matters here; an empty text is `None`, for certmonger does not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Its object.
    pub path: RequestPath,
    /// The request's id in `getcert list`.
    pub nickname: String,
    /// Where it stands.
    pub state: State,
    /// Whether certmonger itself says that nothing will happen.
    pub stuck: bool,
    /// What the authority said last, or what certmonger said about it.
    pub ca_error: Option<String>,
    /// The file of the certificate; `None` when it is in a database.
    pub cert_file: Option<PathBuf>,
    /// The file of the key; `None` when it is in a database.
    pub key_file: Option<PathBuf>,
    /// `user` or `user:group`, set at each save.
    pub cert_owner: Option<String>,
    /// Mode, set at each save; 0 means none.
    pub cert_mode: i64,
    /// `user` or `user:group`, set at each save.
    pub key_owner: Option<String>,
    /// Mode, set at each save; 0 means none.
    pub key_mode: i64,
    /// A file with the key's PIN.
    pub key_pin_file: Option<String>,
    /// `RSA` or `EC` for the next key.
    pub key_type: Option<String>,
    /// Bits of the next key. certmonger does not keep it up to date.
    pub key_size: i64,
    /// The last component of the authority's object; its prefix is wrong in certmonger's answer.
    pub ca: Option<String>,
    /// Profile at the authority.
    pub profile: Option<String>,
    /// Issuer at the authority.
    pub issuer: Option<String>,
    /// Whether it is looked at.
    pub monitoring: bool,
    /// Whether it is renewed.
    pub auto_renew: bool,
    /// Subject that is asked for.
    pub subject: Option<String>,
    /// Key usages that are asked for, as bits.
    pub key_usage: Option<String>,
    /// Extended key usages that are asked for, as object identifiers.
    pub extended_key_usage: Vec<String>,
    /// DNS names that are asked for.
    pub dns: Vec<String>,
    /// Mail addresses that are asked for.
    pub email: Vec<String>,
    /// Kerberos principals that are asked for.
    pub principal: Vec<String>,
    /// Addresses that are asked for.
    pub ip: Vec<String>,
    /// File with the challenge password.
    pub challenge_password_file: Option<String>,
    /// Before the files are written.
    pub pre_save: Option<String>,
    /// After the files were written.
    pub post_save: Option<String>,
    /// Files into which the authority's root goes.
    pub ca_files: Vec<String>,
    /// The certificate that certmonger holds, PEM.
    pub cert: Option<String>,
    /// The last signing request, PEM.
    pub csr: Option<String>,
    /// When it was sent to the authority; 0 means never.
    pub submitted: i64,
}

impl Tracked {
    /// Reads what `GetAll` gave; what is missing is empty, as certmonger leaves out what is not set.
    pub(crate) fn from_properties(path: RequestPath, properties: &Properties) -> Self {
        let storage = |kind: &str, file: &str| {
            let is_file = properties.text(kind).is_none_or(|word| word == "FILE");
            properties.text(file).filter(|_| is_file).map(PathBuf::from)
        };
        Self {
            path,
            nickname: properties.text("nickname").unwrap_or_default(),
            state: State::new(&properties.text("status").unwrap_or_default()),
            stuck: properties.flag("stuck"),
            ca_error: properties.text("ca-error"),
            cert_file: storage("cert-storage", "cert-file"),
            key_file: storage("key-storage", "key-file"),
            cert_owner: properties.text("cert-owner"),
            cert_mode: properties.number("cert-perms"),
            key_owner: properties.text("key-owner"),
            key_mode: properties.number("key-perms"),
            key_pin_file: properties.text("key-pin-file"),
            key_type: properties.text("key-type"),
            key_size: properties.number("key-size"),
            ca: properties.text("ca").map(|path| last(&path).to_owned()),
            profile: properties
                .text("template-profile")
                .or_else(|| properties.text("ca-profile")),
            issuer: properties.text("template-issuer"),
            monitoring: properties.flag("monitoring"),
            auto_renew: properties.flag("autorenew"),
            subject: properties.text("template-subject"),
            key_usage: properties.text("template-ku"),
            extended_key_usage: properties.texts("template-eku"),
            dns: properties.texts("template-hostname"),
            email: properties.texts("template-email"),
            principal: properties.texts("template-principal"),
            ip: properties.texts("template-ip-address"),
            challenge_password_file: properties.text("template-challenge-password-file"),
            pre_save: properties.text("cert-presave-command"),
            post_save: properties.text("cert-postsave-command"),
            ca_files: properties.texts("root-cert-files"),
            cert: properties.text("cert"),
            csr: properties.text("csr"),
            submitted: properties.number("submitted-date"),
        }
    }
}

/// The last component of an object path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A dictionary `a{sv}`.
pub(crate) struct Properties(BTreeMap<String, Value>);

impl Properties {
    pub(crate) fn new(body: Vec<Value>) -> Self {
        let mut properties = BTreeMap::new();
        if let Some(Value::List(entries)) = body.into_iter().next() {
            for entry in entries {
                if let Value::Entry(pair) = entry
                    && let (Value::Text(name), value) = *pair
                {
                    properties.insert(name, value);
                }
            }
        }
        Self(properties)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.text()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// An array that was cleared reads as one empty text.
    fn texts(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).map(Value::items).unwrap_or_default();
        let texts = items.iter().filter_map(Value::text);
        texts
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn number(&self, name: &str) -> i64 {
        match self.0.get(name) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Bool(true)))
    }

    /// The second of each pair in an array of pairs.
    pub(crate) fn seconds(&self, name: &str) -> Vec<String> {
        let pairs = self.0.get(name).map(Value::items).unwrap_or_default();
        let texts = pairs.iter().filter_map(|pair| pair.items().get(1)?.text());
        texts.map(str::to_owned).collect()
    }
}
