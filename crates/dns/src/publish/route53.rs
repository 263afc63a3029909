// SPDX-License-Identifier: Apache-2.0
//! By Amazon's Route 53.
//!
//! Its API changes whole sets, but a batch is carried out as a whole or not at all: "delete the set as I read it, create the
//! new one" fails if somebody was faster, and is tried again with what they wrote. Nobody's record is lost.

mod signature;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use roxmltree::{Document, Node};
use web::{Client, Method, Request};

pub use self::signature::Credentials;
use self::signature::{Scope, Signable, headers};
use crate::clock::Clock;
use crate::message::Text;
use crate::publish::api::{Api, escaped};
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::{Error, Name, Result};

/// All of Route 53 is signed for this region; other partitions have another.
const REGION: &str = "us-east-1";
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
const VERSION: &str = "/2013-04-01";
/// A batch has at most 1000 changes and 32000 characters of values; a set takes two changes.
const SETS_IN_BATCH: usize = 100;
/// How often a batch is tried before somebody else is said to be in the way.
const ROUNDS: u32 = 8;

/// Route 53.
#[derive(Clone, Debug)]
pub struct Route53 {
    api: Api,
    host: String,
    credentials: Credentials,
    zone_id: Option<String>,
    region: String,
    clock: Clock,
}

/// A set of text records as it is there: what a deletion must repeat exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Set {
    ttl: u32,
    values: Vec<String>,
}

impl Route53 {
    /// The service at `url` (`https://route53.amazonaws.com`). Without `zone_id` the public zone of the name is looked for.
    pub fn new(
        client: Arc<Client>,
        url: &str,
        credentials: Credentials,
        zone_id: Option<String>,
        clock: Clock,
    ) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        let mut api = Api::new("Route 53", client, url).hiding(&credentials.secret_key);
        if let Some(token) = &credentials.session_token {
            api = api.hiding(token);
        }
        Self {
            api,
            host,
            credentials,
            zone_id,
            region: REGION.to_owned(),
            clock,
        }
    }

    /// For another partition than Amazon's usual one: `us-gov-west-1`, `cn-northwest-1`.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    fn apply(
        &self,
        records: &[TextRecord],
        change: impl Fn(&mut Set, &TextRecord, String),
    ) -> Result<Published> {
        let mut done = Published::default();
        for (zone, records) in by_zone(records) {
            let id = self.zone_id(zone, &mut done.steps)?;
            let mut by_owner: BTreeMap<&Name, Vec<&TextRecord>> = BTreeMap::new();
            for record in records {
                by_owner.entry(&record.owner).or_default().push(record);
            }
            let owners: Vec<_> = by_owner.into_iter().collect();
            for part in owners.chunks(SETS_IN_BATCH) {
                self.apply_batch(&id, part, &change, &mut done.steps)?;
            }
        }
        Ok(done)
    }

    fn apply_batch(
        &self,
        id: &str,
        owners: &[(&Name, Vec<&TextRecord>)],
        change: &impl Fn(&mut Set, &TextRecord, String),
        steps: &mut usize,
    ) -> Result<()> {
        let mut round = 0;
        let mut refused = String::new();
        loop {
            let changes = self.changes(id, owners, change, steps)?;
            if changes.is_empty() {
                return Ok(());
            }
            let body = format!(
                "<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch><Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
            );
            *steps += 1;
            let path = format!("{VERSION}/hostedzone/{id}/rrset");
            match self.call(Method::Post, &path, "", Some(body)) {
                Ok(_) => return Ok(()),
                Err(error) if round < ROUNDS && may_pass(&error, changes == refused) => {
                    round += 1;
                    refused = changes;
                    std::thread::sleep(Duration::from_millis(50) * (1 << round));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What makes the sets as they should be, from what they are now.
    fn changes(
        &self,
        id: &str,
        owners: &[(&Name, Vec<&TextRecord>)],
        change: &impl Fn(&mut Set, &TextRecord, String),
        steps: &mut usize,
    ) -> Result<String> {
        let mut changes = String::new();
        for (owner, records) in owners {
            let old = self.read(id, owner, steps)?;
            let mut new = old.clone();
            for record in records {
                let text = Text::from_value(record.value.as_bytes()).to_string();
                change(&mut new, record, text);
            }
            if new.values != old.values {
                describe(&mut changes, "DELETE", owner, &old);
                describe(&mut changes, "CREATE", owner, &new);
            }
        }
        Ok(changes)
    }

    fn zone_id(&self, zone: &Name, steps: &mut usize) -> Result<String> {
        if let Some(id) = &self.zone_id {
            return Ok(id.clone());
        }
        *steps += 1;
        let query = format!("dnsname={}&maxitems=10", escaped(&zone.absolute()));
        let path = format!("{VERSION}/hostedzonesbyname");
        let answer = self.call(Method::Get, &path, &query, None)?;
        let document = parsed(&answer)?;
        let mut zones = document
            .descendants()
            .filter(|node| is(*node, "HostedZone"));
        let found = zones.find(|node| {
            let is_named = name_of(text(*node, "Name")).as_ref() == Some(zone);
            is_named && text(*node, "PrivateZone") != "true"
        });
        let id = found.map(|node| {
            text(node, "Id")
                .trim_start_matches("/hostedzone/")
                .to_owned()
        });
        id.ok_or_else(|| Error::Configuration {
            what: format!("zone '{zone}' at Route 53"),
            why: "there is no public zone of this name for these credentials".into(),
        })
    }

    fn read(&self, id: &str, owner: &Name, steps: &mut usize) -> Result<Set> {
        *steps += 1;
        let query = format!("maxitems=1&name={}&type=TXT", escaped(&owner.absolute()));
        let path = format!("{VERSION}/hostedzone/{id}/rrset");
        let answer = self.call(Method::Get, &path, &query, None)?;
        let document = parsed(&answer)?;
        let mut sets = document
            .descendants()
            .filter(|node| is(*node, "ResourceRecordSet"));
        // The list begins at this name and goes on with the next ones.
        let set = sets.find(|node| {
            let is_named = name_of(text(*node, "Name")).as_ref() == Some(owner);
            is_named && text(*node, "Type") == "TXT"
        });
        let Some(set) = set else {
            return Ok(Set::default());
        };
        let values = set.descendants().filter(|node| is(*node, "Value"));
        Ok(Set {
            ttl: text(set, "TTL").parse().unwrap_or(0),
            values: values
                .map(|node| node.text().unwrap_or_default().to_owned())
                .collect(),
        })
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<String>,
    ) -> Result<String> {
        let body = body.unwrap_or_default();
        let signable = Signable {
            method: method.as_str(),
            host: &self.host,
            path,
            query,
            body: body.as_bytes(),
        };
        let scope = Scope {
            region: &self.region,
            service: "route53",
        };
        let headers = headers(&self.credentials, &scope, &signable, self.clock.unix())?;
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.api.base());
        let mut request = Request::new(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.body("application/xml", body.into_bytes());
        }
        let answer = self.api.send(method, request)?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

impl Publisher for Route53 {
    fn name(&self) -> &'static str {
        "route53"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |set, record, text| {
            if !set.values.contains(&text) {
                set.values.push(text);
                set.ttl = record.ttl;
            }
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |set, _, text| {
            set.values.retain(|value| *value != text);
        })
    }
}

/// One change of a batch; of a set without values there is none.
fn describe(changes: &mut String, action: &str, owner: &Name, set: &Set) {
    if set.values.is_empty() {
        return;
    }
    let values: String = set
        .values
        .iter()
        .map(|value| {
            format!(
                "<ResourceRecord><Value>{}</Value></ResourceRecord>",
                xml(value)
            )
        })
        .collect();
    // Writing to a string cannot fail.
    let _ = write!(
        changes,
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>TXT</Type><TTL>{}</TTL><ResourceRecords>{values}</ResourceRecords></ResourceRecordSet></Change>",
        xml(&owner.absolute()),
        set.ttl
    );
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Whether it may go well a little later: somebody else was faster, or still is. A batch that was refused before, and is
/// the same after another look, is refused for what it says.
fn may_pass(error: &Error, is_same: bool) -> bool {
    let Error::Api { said, .. } = error else {
        return false;
    };
    let is_raced = !is_same && said.contains("InvalidChangeBatch");
    let words = ["PriorRequestNotComplete", "Throttling"];
    is_raced || words.iter().any(|word| said.contains(word))
}

fn parsed(answer: &str) -> Result<Document<'_>> {
    Document::parse(answer).map_err(|error| Error::Configuration {
        what: "answer of Route 53".into(),
        why: format!("it is not XML: {error}"),
    })
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

/// The text of the first element of that name inside.
fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.descendants()
        .find(|inside| is(*inside, name))
        .and_then(|found| found.text())
        .unwrap_or_default()
}

/// A name as Route 53 writes it: escapes are octal there, `\052` is `*`.
fn name_of(text: &str) -> Option<Name> {
    let mut parts = text.split('\\');
    let mut decimal = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(3)?;
        let byte = u8::from_str_radix(digits, 8).ok()?;
        // Writing to a string cannot fail.
        let _ = write!(decimal, "\\{byte:03}{rest}");
    }
    decimal.parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_have_octal_escapes() {
        assert_eq!(
            name_of("\\052.h\\055x.example.").unwrap(),
            "*.h-x.example".parse().unwrap()
        );
        for text in ["\\05", "\\999", "\\", "a\\\u{e4}\u{e4}"] {
            assert_eq!(name_of(text), None, "{text}");
        }
    }
}
