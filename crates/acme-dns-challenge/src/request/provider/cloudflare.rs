// SPDX-License-Identifier: Apache-2.0
//! Cloudflare's API.

use std::time::SystemTime;

use ansible_module::{Kind, OptionSpec};
use dns::publish::{Cloudflare, Publisher};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::service::{Asked, Plain, Service};
use super::{Given, Provider, Secret, Way};
use crate::failure::CertificateError;

/// Cloudflare takes no less.
const SHORTEST_TTL: u32 = 60;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("token", Kind::Str).secret(),
    OptionSpec::new("token_file", Kind::Path),
    OptionSpec::new("zone_id", Kind::Str),
    OptionSpec::new("url", Kind::Str).default(r#""https://api.cloudflare.com/client/v4""#),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("60"),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
];

/// The options of Cloudflare.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub token: Option<ansible_module::Secret<String>>,
    pub token_file: Option<String>,
    pub zone_id: Option<String>,
    pub url: String,
    pub ca_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

#[derive(Debug)]
struct Account {
    service: Service,
    token: Secret,
    zone_id: Option<String>,
}

impl Given for Params {
    const NAME: &'static str = "cloudflare";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let asked = Asked {
            url: &self.url,
            ca_file: self.ca_file.as_deref(),
            timeout: &self.timeout,
        };
        let service = Service::understood(at, asked, Plain::Loopback);
        let token = at.needed_secret("token", self.token.as_ref(), self.token_file.as_deref());
        if let Some(zone) = &self.zone_id {
            at.word("zone_id", zone);
        }
        let ttl = at.ttl(self.ttl, SHORTEST_TTL..=LONGEST_TTL);
        let way = Account {
            service: service?,
            token: token?,
            zone_id: self.zone_id.clone(),
        };
        Some(Provider::new(ttl, way))
    }
}

impl Way for Account {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let token = self.token.read()?;
        let client = self.service.client()?;
        let zone = self.zone_id.clone();
        let publisher = Cloudflare::new(client, &self.service.url, &token, zone);
        Ok(Box::new(publisher))
    }
}
