// SPDX-License-Identifier: Apache-2.0
//! By the HTTP API of a PowerDNS authoritative server.
//!
//! Up to release 4.9 the API only replaces whole sets, so a set is read, changed, written and, after a moment, read again
//! until it has what it should. Runs in one process wait for each other; those of other hosts may be in between, see
//! `rounds`, which dynamic updates (`dnsupdate=yes`, publisher `rfc2136`) are spared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use web::{Client, Method};

use crate::message::Text;
use crate::publish::api::{Api, escaped};
use crate::publish::rounds::Rounds;
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::{Error, Name, Result};

/// With more owners than this the whole zone is read at once.
const FEW: usize = 20;

/// One at a time in this process.
static TURN: Mutex<()> = Mutex::new(());

/// A PowerDNS server.
#[derive(Clone, Debug)]
pub struct PowerDns {
    api: Api,
}

/// The values of the text records of an owner, as in a zone file.
type Sets = BTreeMap<Name, Vec<String>>;

impl PowerDns {
    /// The server at `url` (`http://127.0.0.1:8081`), which lets us in by `api_key`; `server_id` is `localhost` unless a
    /// proxy stands before several.
    pub fn new(client: Arc<Client>, url: &str, server_id: &str, api_key: &str) -> Self {
        let base = format!(
            "{}/api/v1/servers/{server_id}/zones",
            url.trim_end_matches('/')
        );
        Self {
            api: Api::new("PowerDNS", client, &base).secret_header("X-API-Key", "", api_key),
        }
    }

    /// Writes the sets that `change` makes others, until they are as they should be.
    fn apply(
        &self,
        records: &[TextRecord],
        change: impl Fn(&mut Vec<String>, &str),
    ) -> Result<Published> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = Published::default();
        for (zone, records) in by_zone(records) {
            let mut rounds = Rounds::default();
            loop {
                let looked = Instant::now();
                let wanted = self.wanted(zone, &records, &change, &mut done.steps)?;
                if wanted.is_empty() {
                    break;
                }
                done.steps += 1;
                let written = self.write(zone, &wanted, &records);
                rounds.wrote(looked.elapsed());
                let is_settled = rounds.settle();
                match written {
                    // Its database was busy with another change.
                    Err(Error::Api {
                        status: 500..=599, ..
                    }) if is_settled => {}
                    written => written?,
                }
                if !is_settled {
                    return Err(contended(zone));
                }
            }
        }
        Ok(done)
    }

    /// The sets that are not as they should be, as they should be.
    fn wanted(
        &self,
        zone: &Name,
        records: &[&TextRecord],
        change: &impl Fn(&mut Vec<String>, &str),
        steps: &mut usize,
    ) -> Result<Sets> {
        let found = self.read(zone, records, steps)?;
        let mut wanted = found.clone();
        for record in records {
            let text = Text::from_value(record.value.as_bytes()).to_string();
            change(wanted.entry(record.owner.clone()).or_default(), &text);
        }
        wanted.retain(|owner, values| found.get(owner).map_or(!values.is_empty(), |f| f != values));
        Ok(wanted)
    }

    /// The sets of these owners.
    fn read(&self, zone: &Name, records: &[&TextRecord], steps: &mut usize) -> Result<Sets> {
        let mut owners: Vec<&Name> = records.iter().map(|record| &record.owner).collect();
        owners.dedup();
        let mut sets = Sets::new();
        let mut read = |query: String| -> Result<()> {
            *steps += 1;
            let path = format!("/{}{query}", zone.absolute());
            let answer: Value = self.api.call(Method::Get, &path, None)?.json()?;
            for set in answer["rrsets"].as_array().into_iter().flatten() {
                let owner = set["name"].as_str().and_then(|name| name.parse().ok());
                if let (Some(owner), Some("TXT")) = (owner, set["type"].as_str())
                    && owners.contains(&&owner)
                {
                    sets.insert(owner, values(set));
                }
            }
            Ok(())
        };
        match owners.len() {
            0..=FEW => {
                for owner in &owners {
                    read(format!(
                        "?rrset_name={}&rrset_type=TXT",
                        escaped(&owner.absolute())
                    ))?;
                }
            }
            _ => read(String::new())?,
        }
        Ok(sets)
    }

    fn write(&self, zone: &Name, sets: &Sets, records: &[&TextRecord]) -> Result<()> {
        let rrsets: Vec<Value> = sets
            .iter()
            .map(|(owner, values)| {
                let own = records.iter().find(|record| record.owner == *owner);
                let contents = values
                    .iter()
                    .map(|value| json!({"content": value, "disabled": false}));
                json!({
                    "name": owner.absolute(),
                    "type": "TXT",
                    "ttl": own.map_or(0, |record| record.ttl),
                    "changetype": if values.is_empty() { "DELETE" } else { "REPLACE" },
                    "records": contents.collect::<Vec<Value>>(),
                })
            })
            .collect();
        let body = json!({"rrsets": rrsets});
        let path = format!("/{}", zone.absolute());
        self.api.call(Method::Patch, &path, Some(&body)).map(drop)
    }
}

impl Publisher for PowerDns {
    fn name(&self) -> &'static str {
        "powerdns"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |values, text| {
            if !values.iter().any(|value| value == text) {
                values.push(text.to_owned());
            }
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.apply(records, |values, text| values.retain(|value| value != text))
    }
}

/// The values of a set.
fn values(set: &Value) -> Vec<String> {
    let records = set["records"].as_array().into_iter().flatten();
    let contents = records.filter_map(|record| record["content"].as_str());
    contents.map(str::to_owned).collect()
}

fn contended(zone: &Name) -> Error {
    Error::Configuration {
        what: format!("zone '{zone}' at PowerDNS"),
        why: "somebody else writes the same names all the time; let PowerDNS take dynamic updates (dnsupdate=yes) and use 'rfc2136'".into(),
    }
}
