// SPDX-License-Identifier: Apache-2.0
//! How records are published: one file for each way, which has its options, what they mean, and how it is opened.
//!
//! Another module that offers the same ways takes [`OPTIONS`], [`ProviderParams`] and [`provider_at`].

mod acme_dns;
mod auth;
mod cloudflare;
mod clouds;
mod designate;
mod hook;
mod place;
mod powerdns;
mod rackspace;
mod rfc2136;
mod route53;
mod secret;
mod service;
mod yaml;
mod zone_file;

use std::fmt::Debug;
use std::time::SystemTime;

use ansible_module::{Faults, Kind, OptionSpec};
use dns::publish::Publisher;
use serde::Deserialize;

use self::place::Place;
pub use self::secret::Secret;
use crate::failure::CertificateError;

/// The ways, of which one is taken.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("acme_dns", Kind::Dict).options(acme_dns::OPTIONS),
    OptionSpec::new("cloudflare", Kind::Dict).options(cloudflare::OPTIONS),
    OptionSpec::new("designate", Kind::Dict).options(designate::OPTIONS),
    OptionSpec::new("hook", Kind::Dict).options(hook::OPTIONS),
    OptionSpec::new("powerdns", Kind::Dict).options(powerdns::OPTIONS),
    OptionSpec::new("rackspace", Kind::Dict).options(rackspace::OPTIONS),
    OptionSpec::new("rfc2136", Kind::Dict).options(rfc2136::OPTIONS),
    OptionSpec::new("route53", Kind::Dict).options(route53::OPTIONS),
    OptionSpec::new("zone_file", Kind::Dict).options(zone_file::OPTIONS),
];

/// What was given for each of them.
#[derive(Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "the options of the module; its documentation describes them"
)]
pub struct ProviderParams {
    pub acme_dns: Option<acme_dns::Params>,
    pub cloudflare: Option<cloudflare::Params>,
    pub designate: Option<designate::Params>,
    pub hook: Option<hook::Params>,
    pub powerdns: Option<powerdns::Params>,
    pub rackspace: Option<rackspace::Params>,
    pub rfc2136: Option<rfc2136::Params>,
    pub route53: Option<route53::Params>,
    pub zone_file: Option<zone_file::Params>,
}

/// A way to publish, with all that it needs.
#[derive(Debug)]
pub struct Provider {
    ttl: u32,
    way: Box<dyn Way>,
}

/// What the options of one way mean.
trait Given {
    /// The option.
    const NAME: &'static str;

    /// Reads all of them, also behind a fault.
    fn provider(&self, at: &mut Place<'_>) -> Option<Provider>;
}

/// One way, not opened yet. `Debug` shows no secret.
trait Way: Debug + Send + Sync {
    /// Reads its secrets, and is ready to publish.
    fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError>;
}

impl Provider {
    fn new(ttl: u32, way: impl Way + 'static) -> Self {
        let way = Box::new(way);
        Self { ttl, way }
    }

    /// For how long records may be kept.
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// Ready to publish.
    ///
    /// # Errors
    /// What is wrong with its secret.
    pub fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        self.way.open(now)
    }
}

/// The one way that was given in the option `provider`.
pub fn provider(given: &ProviderParams, faults: &mut Faults) -> Option<Provider> {
    provider_at("provider", given, faults)
}

/// The one way that was given in the option at this path, for example `certificates[0].issuer.acme.provider`.
pub fn provider_at(at: &str, given: &ProviderParams, faults: &mut Faults) -> Option<Provider> {
    let ProviderParams {
        acme_dns,
        cloudflare,
        designate,
        hook,
        powerdns,
        rackspace,
        rfc2136,
        route53,
        zone_file,
    } = given;
    let found = [
        understood(at, acme_dns.as_ref(), faults),
        understood(at, cloudflare.as_ref(), faults),
        understood(at, designate.as_ref(), faults),
        understood(at, hook.as_ref(), faults),
        understood(at, powerdns.as_ref(), faults),
        understood(at, rackspace.as_ref(), faults),
        understood(at, rfc2136.as_ref(), faults),
        understood(at, route53.as_ref(), faults),
        understood(at, zone_file.as_ref(), faults),
    ];
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(one), None) => one,
        _ => {
            let names: Vec<&str> = OPTIONS.iter().map(OptionSpec::name).collect();
            faults.push(at, format!("give exactly one of {}", names.join(", ")));
            None
        }
    }
}

/// None if it was not given; `Some(None)` if it is faulty.
fn understood<G: Given>(
    at: &str,
    given: Option<&G>,
    faults: &mut Faults,
) -> Option<Option<Provider>> {
    let given = given?;
    let mut place = Place::new(format!("{at}.{}", G::NAME), faults);
    Some(given.provider(&mut place))
}
