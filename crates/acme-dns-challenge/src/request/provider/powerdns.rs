// SPDX-License-Identifier: Apache-2.0
//! The HTTP API of a PowerDNS server.

use std::time::SystemTime;

use ansible_module::{Kind, OptionSpec};
use dns::publish::{PowerDns, Publisher};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::service::{Asked, Plain, Service};
use super::{Given, Provider, Secret, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("url", Kind::Str).required(),
    OptionSpec::new("api_key", Kind::Str).secret(),
    OptionSpec::new("api_key_file", Kind::Path),
    OptionSpec::new("server_id", Kind::Str).default(r#""localhost""#),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("1"),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
];

/// The options of PowerDNS.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub url: String,
    pub api_key: Option<ansible_module::Secret<String>>,
    pub api_key_file: Option<String>,
    pub server_id: String,
    pub ca_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

#[derive(Debug)]
struct Server {
    service: Service,
    id: String,
    api_key: Secret,
}

impl Given for Params {
    const NAME: &'static str = "powerdns";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let asked = Asked {
            url: &self.url,
            ca_file: self.ca_file.as_deref(),
            timeout: &self.timeout,
        };
        let service = Service::understood(at, asked, Plain::Allowed);
        let file = self.api_key_file.as_deref();
        let api_key = at.needed_secret("api_key", self.api_key.as_ref(), file);
        at.word("server_id", &self.server_id);
        let ttl = at.ttl(self.ttl, 0..=LONGEST_TTL);
        let way = Server {
            service: service?,
            id: self.server_id.clone(),
            api_key: api_key?,
        };
        Some(Provider::new(ttl, way))
    }
}

impl Way for Server {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let api_key = self.api_key.read()?;
        let client = self.service.client()?;
        let url = &self.service.url;
        Ok(Box::new(PowerDns::new(client, url, &self.id, &api_key)))
    }
}
