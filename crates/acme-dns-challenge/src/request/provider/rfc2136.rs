// SPDX-License-Identifier: Apache-2.0
//! Dynamic updates, signed or not.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use ansible_module::{Kind, OptionSpec};
use dns::publish::{Publisher, Rfc2136};
use dns::tsig::{Algorithm, Key};
use dns::update::Updater;
use dns::{Clock, Name};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::{Given, Provider, Secret, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("server", Kind::Str).required(),
    OptionSpec::new("zone", Kind::Str),
    OptionSpec::new("key_name", Kind::Str),
    OptionSpec::new("algorithm", Kind::Str).default(r#""hmac-sha256""#),
    OptionSpec::new("secret", Kind::Str).secret(),
    OptionSpec::new("secret_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("1"),
    OptionSpec::new("timeout", Kind::Str).default(r#""10s""#),
];

/// The options of dynamic updates.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub server: String,
    pub zone: Option<String>,
    pub key_name: Option<String>,
    pub algorithm: String,
    pub secret: Option<ansible_module::Secret<String>>,
    pub secret_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

#[derive(Debug)]
struct Updates {
    /// The primary server.
    server: SocketAddr,
    /// The zone to name in updates.
    zone: Option<Name>,
    /// Who signs.
    key: Option<(String, Algorithm, Secret)>,
    /// How long one message may take.
    within: Duration,
}

impl Given for Params {
    const NAME: &'static str = "rfc2136";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let server = dns::resolver::server_address(&self.server);
        let server = at.good("server", server);
        let zone = self.zone.as_deref().and_then(|zone| at.name("zone", zone));
        let algorithm = at.good("algorithm", self.algorithm.parse::<Algorithm>());
        let is_signed = self.key_name.is_some();
        if is_signed != (self.secret.is_some() || self.secret_file.is_some()) {
            let rule = "a key has a 'key_name' and one of 'secret' and 'secret_file'";
            at.fault("", rule);
        }
        let secret = at.secret("secret", self.secret.as_ref(), self.secret_file.as_deref());
        let ttl = at.ttl(self.ttl, 0..=LONGEST_TTL);
        let within = at.span("timeout", &self.timeout);
        let key = match &self.key_name {
            None => None,
            Some(name) => Some((name.clone(), algorithm?, secret?)),
        };
        let way = Updates {
            server: server?,
            zone,
            key,
            within,
        };
        Some(Provider::new(ttl, way))
    }
}

impl Way for Updates {
    fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let key = self.key.as_ref().map(|(name, algorithm, secret)| {
            Ok::<_, CertificateError>(Key::new(name, *algorithm, &secret.read()?)?)
        });
        let updater = Updater {
            server: self.server,
            key: key.transpose()?,
            within: self.within,
            clock: Clock::starting_at(now),
        };
        let zone = self.zone.clone();
        Ok(Box::new(Rfc2136 { updater, zone }))
    }
}
