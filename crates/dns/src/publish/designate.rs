// SPDX-License-Identifier: Apache-2.0
//! By OpenStack's Designate (DNS v2).
//!
//! Its API replaces whole sets, so a set is read, changed, written and, after a moment, read again, as with PowerDNS; runs
//! in one process wait for each other. Designate tells its servers later; whether they show the records is `visible`'s question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use web::{Client, Method};

use crate::message::Text;
use crate::publish::api::{Api, escaped};
use crate::publish::openstack::Cloud;
use crate::publish::rounds::Rounds;
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::{Error, Name, Result};

/// One at a time in this process.
static TURN: Mutex<()> = Mutex::new(());

/// Designate of a cloud.
#[derive(Clone, Debug)]
pub struct Designate {
    client: Arc<Client>,
    cloud: Cloud,
}

/// A set of text records there.
struct Set {
    id: String,
    values: Vec<String>,
}

/// One call of a publisher: its token, and what it took so far.
struct Run {
    api: Api,
    steps: usize,
}

impl Designate {
    /// In this cloud.
    pub fn new(client: Arc<Client>, cloud: Cloud) -> Self {
        Self { client, cloud }
    }

    fn apply(
        &self,
        records: &[TextRecord],
        change: impl Fn(&mut Vec<String>, String),
    ) -> Result<Published> {
        if records.is_empty() {
            return Ok(Published::default());
        }
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let session = self.cloud.session(&self.client, "dns")?;
        // Catalogues name the service with and without its version.
        let base = session.endpoint.trim_end_matches('/');
        let base = base.strip_suffix("/v2").unwrap_or(base);
        let api = Api::new("Designate", Arc::clone(&self.client), &format!("{base}/v2"));
        let mut run = Run {
            api: api.secret_header("X-Auth-Token", "", &session.token),
            steps: 1,
        };
        for (zone, records) in by_zone(records) {
            let id = run.zone_id(zone)?;
            let mut owners: BTreeMap<&Name, Vec<&TextRecord>> = BTreeMap::new();
            for record in records {
                owners.entry(&record.owner).or_default().push(record);
            }
            run.apply(&id, owners, &change)?;
        }
        Ok(Published {
            steps: run.steps,
            ..Published::default()
        })
    }
}

impl Run {
    fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<web::Response> {
        self.steps += 1;
        self.api.call(method, path, body)
    }

    fn zone_id(&mut self, zone: &Name) -> Result<String> {
        let path = format!("/zones?name={}", escaped(&zone.absolute()));
        let answer: Value = self.call(Method::Get, &path, None)?.json()?;
        let id = answer["zones"][0]["id"].as_str();
        id.map(str::to_owned).ok_or_else(|| Error::Configuration {
            what: format!("zone '{zone}' at Designate"),
            why: "the project has no zone of this name".into(),
        })
    }

    fn read(&mut self, zone: &str, owner: &Name) -> Result<Option<Set>> {
        let name = escaped(&owner.absolute());
        let path = format!("/zones/{zone}/recordsets?type=TXT&name={name}");
        let answer: Value = self.call(Method::Get, &path, None)?.json()?;
        let sets = answer["recordsets"].as_array().into_iter().flatten();
        // A '*' in the question matches more than itself.
        let mut own = sets.filter(|set| {
            let name = set["name"].as_str().and_then(|name| name.parse().ok());
            name.as_ref() == Some(owner) && set["type"] == "TXT"
        });
        Ok(own.next().map(|set| {
            let values = set["records"].as_array().into_iter().flatten();
            Set {
                id: set["id"].as_str().unwrap_or_default().to_owned(),
                values: values
                    .filter_map(|value| value.as_str().map(str::to_owned))
                    .collect(),
            }
        }))
    }

    /// Round after round, with those sets that were not as they should be in the last one.
    fn apply(
        &mut self,
        zone: &str,
        mut owners: BTreeMap<&Name, Vec<&TextRecord>>,
        change: &impl Fn(&mut Vec<String>, String),
    ) -> Result<()> {
        let mut rounds = Rounds::default();
        loop {
            let mut written = BTreeMap::new();
            for (owner, records) in owners {
                let looked = Instant::now();
                if self.apply_one(zone, owner, &records, change)? {
                    rounds.wrote(looked.elapsed());
                    written.insert(owner, records);
                }
            }
            let Some(first) = written.keys().next() else {
                return Ok(());
            };
            if !rounds.settle() {
                return Err(contended(first));
            }
            owners = written;
        }
    }

    /// Whether the set had to be written.
    fn apply_one(
        &mut self,
        zone: &str,
        owner: &Name,
        records: &[&TextRecord],
        change: &impl Fn(&mut Vec<String>, String),
    ) -> Result<bool> {
        let found = self.read(zone, owner)?;
        let old = found.as_ref().map_or(&[][..], |set| &set.values);
        let mut new = old.to_vec();
        for record in records {
            let text = Text::from_value(record.value.as_bytes());
            change(&mut new, text.to_string());
        }
        if new == old {
            return Ok(false);
        }
        let ttl = records.first().map_or(60, |record| record.ttl);
        match self.write(zone, owner, found.as_ref(), &new, ttl) {
            // The set came or went since it was read.
            Err(Error::Api {
                status: 404 | 409, ..
            }) => {}
            written => written?,
        }
        Ok(true)
    }

    fn write(
        &mut self,
        zone: &str,
        owner: &Name,
        found: Option<&Set>,
        values: &[String],
        ttl: u32,
    ) -> Result<()> {
        let sets = format!("/zones/{zone}/recordsets");
        let own = |set: &Set| format!("{sets}/{}", escaped(&set.id));
        let body = json!({"records": values, "ttl": ttl});
        let answer = match found {
            Some(set) if values.is_empty() => self.call(Method::Delete, &own(set), None),
            Some(set) => self.call(Method::Put, &own(set), Some(&body)),
            None => {
                let mut body = body;
                body["name"] = owner.absolute().into();
                body["type"] = "TXT".into();
                self.call(Method::Post, &sets, Some(&body))
            }
        };
        answer.map(drop)
    }
}

impl Publisher for Designate {
    fn name(&self) -> &'static str {
        "designate"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |values, text| {
            if !values.contains(&text) {
                values.push(text);
            }
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |values, text| {
            values.retain(|value| *value != text)
        })
    }
}

fn contended(owner: &Name) -> Error {
    Error::Configuration {
        what: format!("'{owner}' at Designate"),
        why: "somebody else writes the same name all the time; run again".into(),
    }
}
