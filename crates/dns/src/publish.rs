// SPDX-License-Identifier: Apache-2.0
//! Ways to publish text records, one file each, behind one small trait.
//!
//! All of them add beside what there is and delete exactly what they are told: other runs have records at the same
//! names.

mod acme_dns;
mod api;
mod cloudflare;
mod designate;
mod hook;
mod openstack;
mod powerdns;
mod rackspace;
mod rfc2136;
mod rounds;
mod route53;
mod zone_file;

use std::collections::BTreeMap;

pub use acme_dns::{Account, AcmeDns};
pub use cloudflare::Cloudflare;
pub use designate::Designate;
pub use hook::Hook;
pub use openstack::{Cloud, Credential, Domain, Identity, Named};
pub use powerdns::PowerDns;
pub use rackspace::Rackspace;
pub use rfc2136::Rfc2136;
pub use route53::{Credentials, Route53};
pub use zone_file::ZoneFile;

use crate::{Name, Result};

/// A text record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRecord {
    /// The zone that holds it.
    pub zone: Name,
    /// Its owner.
    pub owner: Name,
    /// What it says.
    pub value: String,
    /// Seconds for which it may be kept.
    pub ttl: u32,
}

/// What it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Messages sent, requests made, programs run, files written.
    pub steps: usize,
    /// What is not as it should be, in words for the operator.
    pub warnings: Vec<String>,
}

/// A way to publish.
pub trait Publisher {
    /// How it is called in options: `rfc2136`, `zone_file`.
    fn name(&self) -> &'static str;

    /// Adds these records. That one is there already is no failure.
    ///
    /// # Errors
    /// Whatever keeps one of them from being there; others may be there then, and are withdrawn by the caller.
    fn publish(&self, records: &[TextRecord]) -> Result<Published>;

    /// Removes exactly these records. That one is not there is no failure.
    ///
    /// # Errors
    /// Whatever keeps one of them there.
    fn withdraw(&self, records: &[TextRecord]) -> Result<Published>;
}

/// The records of each zone, in one order whatever that of the caller.
pub(crate) fn by_zone(records: &[TextRecord]) -> BTreeMap<&Name, Vec<&TextRecord>> {
    let mut zones: BTreeMap<&Name, Vec<&TextRecord>> = BTreeMap::new();
    for record in records {
        zones.entry(&record.zone).or_default().push(record);
    }
    for records in zones.values_mut() {
        records.sort();
        records.dedup();
    }
    zones
}
