// SPDX-License-Identifier: Apache-2.0
//! Rackspace's Cloud DNS.

use std::time::SystemTime;

use ansible_module::{Element, Kind, OptionSpec};
use dns::publish::{Publisher, Rackspace};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::clouds::{CloudName, USUAL_FILES};
use super::place::{LONGEST_TTL, Place};
use super::service::{Asked, Plain, Service, check_url};
use super::{Given, Provider, Secret, Way};
use crate::failure::CertificateError;

/// Rackspace takes no less.
const SHORTEST_TTL: u32 = 300;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("cloud", Kind::Str),
    OptionSpec::new("clouds_files", Kind::List(Element::Path))
        .aliases(&["clouds_file"])
        .default(USUAL_FILES),
    OptionSpec::new("username", Kind::Str),
    OptionSpec::new("api_key", Kind::Str).secret(),
    OptionSpec::new("api_key_file", Kind::Path),
    OptionSpec::new("identity_url", Kind::Str)
        .default(r#""https://identity.api.rackspacecloud.com""#),
    OptionSpec::new("url", Kind::Str).default(r#""https://dns.api.rackspacecloud.com/v1.0""#),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("300"),
    OptionSpec::new("timeout", Kind::Str).default(r#""60s""#),
];

/// The options of Rackspace.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub cloud: Option<String>,
    pub clouds_files: Vec<String>,
    pub username: Option<String>,
    pub api_key: Option<ansible_module::Secret<String>>,
    pub api_key_file: Option<String>,
    pub identity_url: String,
    pub url: String,
    pub ca_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

/// Where credentials come from.
#[derive(Debug)]
enum Source {
    Clouds(CloudName),
    Given { username: String, api_key: Secret },
}

#[derive(Debug)]
struct Account {
    service: Service,
    identity_url: String,
    source: Source,
}

impl Params {
    fn source(&self, at: &mut Place<'_>) -> Option<Source> {
        let file = self.api_key_file.as_deref();
        let has_key = self.api_key.is_some() || file.is_some();
        match (&self.cloud, &self.username) {
            (Some(name), None) if !has_key => {
                let cloud = CloudName::understood(at, name, &self.clouds_files);
                Some(Source::Clouds(cloud))
            }
            (None, Some(username)) => {
                let api_key = at.needed_secret("api_key", self.api_key.as_ref(), file)?;
                let username = username.clone();
                Some(Source::Given { username, api_key })
            }
            _ => {
                let rule =
                    "give either 'cloud', or 'username' and one of 'api_key' and 'api_key_file'";
                at.fault("", rule);
                None
            }
        }
    }
}

impl Given for Params {
    const NAME: &'static str = "rackspace";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let source = self.source(at);
        let asked = Asked {
            url: &self.url,
            ca_file: self.ca_file.as_deref(),
            timeout: &self.timeout,
        };
        let service = Service::understood(at, asked, Plain::Loopback);
        check_url(at, "identity_url", &self.identity_url, Plain::Loopback);
        let ttl = at.ttl(self.ttl, SHORTEST_TTL..=LONGEST_TTL);
        let way = Account {
            service: service?,
            identity_url: self.identity_url.clone(),
            source: source?,
        };
        Some(Provider::new(ttl, way))
    }
}

impl Account {
    fn credentials(&self) -> Result<(String, Zeroizing<String>), CertificateError> {
        match &self.source {
            Source::Given { username, api_key } => Ok((username.clone(), api_key.read()?)),
            Source::Clouds(name) => {
                let entry = name.entry()?;
                let member = |name: &str| {
                    let found = entry.auth.0.get(name).map(|text| text.expose().clone());
                    let why = String::from("is missing; Rackspace wants 'username' and 'api_key'");
                    found.ok_or_else(|| entry.wrong((name.to_owned(), why)))
                };
                Ok((member("username")?, Zeroizing::new(member("api_key")?)))
            }
        }
    }
}

impl Way for Account {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let (username, api_key) = self.credentials()?;
        Ok(Box::new(Rackspace {
            client: self.service.client()?,
            identity_url: self.identity_url.clone(),
            dns_url: self.service.url.clone(),
            username,
            api_key: api_key.to_string(),
            within: self.service.timeout,
        }))
    }
}
