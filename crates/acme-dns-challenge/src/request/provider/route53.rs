// SPDX-License-Identifier: Apache-2.0
//! Amazon's Route 53. Nothing is taken from the environment or from the host's role: what is not given is not used.

use std::time::SystemTime;

use ansible_module::{Kind, OptionSpec};
use dns::Clock;
use dns::publish::{Credentials, Publisher, Route53};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::service::{Asked, Plain, Service};
use super::{Given, Provider, Secret, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("access_key", Kind::Str).required(),
    OptionSpec::new("secret_key", Kind::Str).secret(),
    OptionSpec::new("secret_key_file", Kind::Path),
    OptionSpec::new("session_token", Kind::Str).secret(),
    OptionSpec::new("session_token_file", Kind::Path),
    OptionSpec::new("hosted_zone_id", Kind::Str),
    OptionSpec::new("region", Kind::Str).default(r#""us-east-1""#),
    OptionSpec::new("url", Kind::Str).default(r#""https://route53.amazonaws.com""#),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("1"),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
];

/// The options of Route 53.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub access_key: String,
    pub secret_key: Option<ansible_module::Secret<String>>,
    pub secret_key_file: Option<String>,
    pub session_token: Option<ansible_module::Secret<String>>,
    pub session_token_file: Option<String>,
    pub hosted_zone_id: Option<String>,
    pub region: String,
    pub url: String,
    pub ca_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

#[derive(Debug)]
struct Account {
    service: Service,
    access_key: String,
    secret_key: Secret,
    session_token: Option<Secret>,
    zone_id: Option<String>,
    region: String,
}

impl Given for Params {
    const NAME: &'static str = "route53";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let asked = Asked {
            url: &self.url,
            ca_file: self.ca_file.as_deref(),
            timeout: &self.timeout,
        };
        let service = Service::understood(at, asked, Plain::Loopback);
        let file = self.secret_key_file.as_deref();
        let secret_key = at.needed_secret("secret_key", self.secret_key.as_ref(), file);
        let file = self.session_token_file.as_deref();
        let session_token = at.secret("session_token", self.session_token.as_ref(), file);
        // The console and other tools show it so.
        let zone = self.hosted_zone_id.as_deref();
        let zone = zone.map(|id| id.trim_start_matches("/hostedzone/").to_owned());
        if let Some(zone) = &zone {
            at.word("hosted_zone_id", zone);
        }
        at.word("access_key", &self.access_key);
        at.word("region", &self.region);
        let ttl = at.ttl(self.ttl, 0..=LONGEST_TTL);
        let way = Account {
            service: service?,
            access_key: self.access_key.clone(),
            secret_key: secret_key?,
            session_token,
            zone_id: zone,
            region: self.region.clone(),
        };
        Some(Provider::new(ttl, way))
    }
}

impl Way for Account {
    fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let session_token = self.session_token.as_ref().map(Secret::read).transpose()?;
        let credentials = Credentials {
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.read()?.to_string(),
            session_token: session_token.map(|token| token.to_string()),
        };
        let (client, url) = (self.service.client()?, &self.service.url);
        let clock = Clock::starting_at(now);
        let publisher = Route53::new(client, url, credentials, self.zone_id.clone(), clock);
        Ok(Box::new(publisher.in_region(&self.region)))
    }
}
