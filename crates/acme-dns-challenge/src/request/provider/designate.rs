// SPDX-License-Identifier: Apache-2.0
//! OpenStack's Designate, in a cloud of clouds.yaml or with credentials of the options.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ansible_module::{Element, Kind, OptionSpec};
use dns::publish::{Cloud, Designate, Publisher};
use serde::Deserialize;

use super::auth::{self, Auth};
use super::clouds::{CloudName, USUAL_FILES};
use super::place::{LONGEST_TTL, Place};
use super::service::{Plain, check_url, client};
use super::{Given, Provider, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("cloud", Kind::Str),
    OptionSpec::new("clouds_files", Kind::List(Element::Path))
        .aliases(&["clouds_file"])
        .default(USUAL_FILES),
    OptionSpec::new("auth", Kind::Dict).options(auth::OPTIONS),
    OptionSpec::new("auth_type", Kind::Str).choices(auth::TYPES),
    OptionSpec::new("region_name", Kind::Str),
    OptionSpec::new("interface", Kind::Str).choices(&["public", "internal", "admin"]),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("ttl", Kind::Int).default("60"),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
];

/// The options of Designate.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub cloud: Option<String>,
    pub clouds_files: Vec<String>,
    pub auth: Option<BTreeMap<String, ansible_module::Secret<String>>>,
    pub auth_type: Option<String>,
    pub region_name: Option<String>,
    pub interface: Option<String>,
    pub ca_file: Option<String>,
    pub ttl: i64,
    pub timeout: String,
}

/// Where credentials come from.
#[derive(Debug)]
enum Source {
    Clouds(CloudName),
    Given(Auth),
}

#[derive(Debug)]
struct InCloud {
    source: Source,
    /// What the options say; it takes precedence over the file.
    auth_type: Option<String>,
    region: Option<String>,
    interface: Option<String>,
    ca_file: Option<PathBuf>,
    timeout: Duration,
}

impl Params {
    fn source(&self, at: &mut Place<'_>) -> Option<Source> {
        match (&self.cloud, &self.auth) {
            (Some(name), None) => {
                let cloud = CloudName::understood(at, name, &self.clouds_files);
                Some(Source::Clouds(cloud))
            }
            (None, Some(members)) => {
                let auth = Auth(members.clone());
                // A missing one was named by the table of options already.
                if let Ok(url) = auth.url() {
                    check_url(at, "auth.auth_url", url, Plain::Allowed);
                }
                for (member, why) in auth.faults(self.auth_type.as_deref()) {
                    at.fault(&format!("auth.{member}"), why);
                }
                Some(Source::Given(auth))
            }
            _ => {
                at.fault("", "give exactly one of 'cloud' and 'auth'");
                None
            }
        }
    }
}

impl Given for Params {
    const NAME: &'static str = "designate";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let source = self.source(at);
        let ca_file = self.ca_file.as_deref();
        let ca_file = ca_file.map(|path| at.absolute("ca_file", path));
        let ttl = at.ttl(self.ttl, 1..=LONGEST_TTL);
        let way = InCloud {
            source: source?,
            auth_type: self.auth_type.clone(),
            region: self.region_name.clone(),
            interface: self.interface.clone(),
            ca_file: ca_file.flatten(),
            timeout: at.span("timeout", &self.timeout),
        };
        Some(Provider::new(ttl, way))
    }
}

impl InCloud {
    /// The cloud, and the authorities of its certificates.
    fn cloud(&self) -> Result<(Cloud, Option<PathBuf>), CertificateError> {
        match &self.source {
            Source::Given(auth) => {
                let auth = auth.clone().with_files_read()?;
                let wrong = |(member, why)| unusable(&format!("auth.{member}"), why);
                let cloud = Cloud {
                    auth_url: auth.url().map_err(wrong)?.to_owned(),
                    identity: auth.identity(self.auth_type.as_deref()).map_err(wrong)?,
                    region: self.region.clone(),
                    interface: self.interface(None),
                };
                Ok((cloud, self.ca_file.clone()))
            }
            Source::Clouds(name) => {
                let entry = name.entry()?;
                let kind = self.auth_type.as_deref().or(entry.auth_type.as_deref());
                let wrong = |wrong| entry.wrong(wrong);
                let cloud = Cloud {
                    auth_url: entry.auth.url().map_err(wrong)?.to_owned(),
                    identity: entry.auth.identity(kind).map_err(wrong)?,
                    region: self.region.clone().or_else(|| entry.region.clone()),
                    interface: self.interface(entry.interface.as_deref()),
                };
                let ca_file = self.ca_file.clone().or_else(|| entry.ca_file.clone());
                Ok((cloud, ca_file))
            }
        }
    }

    fn interface(&self, of_file: Option<&str>) -> String {
        let given = self.interface.as_deref().or(of_file);
        given.unwrap_or("public").to_owned()
    }
}

/// Options were checked before; what is wrong here is what a file has.
fn unusable(what: &str, why: String) -> CertificateError {
    CertificateError::Dns(dns::Error::Configuration {
        what: what.to_owned(),
        why,
    })
}

impl Way for InCloud {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let (cloud, ca_file) = self.cloud()?;
        let client = client(&cloud.auth_url, ca_file.as_deref(), self.timeout)?;
        Ok(Box::new(Designate::new(client, cloud)))
    }
}
