// SPDX-License-Identifier: Apache-2.0
//! By Rackspace's Cloud DNS, which has one resource for each record and does its work in jobs.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use web::{Client, Method};

use crate::publish::api::{Api, escaped};
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::{Error, Name, Result};

/// Rackspace takes no less.
const SHORTEST_TTL: u32 = 300;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An account at Rackspace. `Debug` shows no key.
#[derive(Clone)]
pub struct Rackspace {
    /// How it is asked.
    pub client: Arc<Client>,
    /// `https://identity.api.rackspacecloud.com`.
    pub identity_url: String,
    /// `https://dns.api.rackspacecloud.com/v1.0`.
    pub dns_url: String,
    /// Who asks.
    pub username: String,
    /// And with which key.
    pub api_key: String,
    /// How long a job may take.
    pub within: Duration,
}

impl fmt::Debug for Rackspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rackspace")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// One call of a publisher: its token, and what it took so far.
struct Run {
    api: Api,
    within: Duration,
    steps: usize,
}

/// A record there.
struct Found {
    id: String,
    owner: Name,
    value: String,
}

impl Rackspace {
    fn run(&self) -> Result<Run> {
        let identity = Api::new("Rackspace", Arc::clone(&self.client), &self.identity_url)
            .hiding(&self.api_key);
        let question = json!({"auth": {"RAX-KSKEY:apiKeyCredentials": {
            "username": self.username, "apiKey": self.api_key,
        }}});
        let answer: Value = identity
            .call(Method::Post, "/v2.0/tokens", Some(&question))?
            .json()?;
        let token = &answer["access"]["token"];
        let (Some(id), Some(tenant)) = (token["id"].as_str(), token["tenant"]["id"].as_str())
        else {
            return Err(refused("account", "its identity service gives no token"));
        };
        let base = format!("{}/{tenant}", self.dns_url.trim_end_matches('/'));
        let api = Api::new("Rackspace", Arc::clone(&self.client), &base);
        Ok(Run {
            api: api
                .secret_header("X-Auth-Token", "", id)
                .header("Accept", "application/json"),
            within: self.within,
            steps: 1,
        })
    }

    /// Calls `each` for each zone with its records and those that are there.
    fn for_zones(
        &self,
        records: &[TextRecord],
        each: impl Fn(&mut Run, &str, &[&TextRecord], &[Found]) -> Result<()>,
    ) -> Result<Published> {
        let mut done = Published::default();
        if records.is_empty() {
            return Ok(done);
        }
        let mut run = self.run()?;
        for (zone, records) in by_zone(records) {
            let id = run.zone_id(zone)?;
            let owners: BTreeSet<&Name> = records.iter().map(|record| &record.owner).collect();
            let mut found = Vec::new();
            for owner in owners {
                found.extend(run.read(&id, owner)?);
            }
            each(&mut run, &id, &records, &found)?;
        }
        done.steps = run.steps;
        Ok(done)
    }
}

impl Run {
    fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        self.steps += 1;
        Ok(self.api.call(method, path, body)?.json()?)
    }

    fn zone_id(&mut self, zone: &Name) -> Result<String> {
        let path = format!("/domains?name={}", escaped(&zone.to_string()));
        let answer = self.call(Method::Get, &path, None)?;
        let zones = answer["domains"].as_array().into_iter().flatten();
        let id = zones
            .filter(|found| name(found).as_ref() == Some(zone))
            .find_map(|found| text(&found["id"]));
        id.ok_or_else(|| {
            refused(
                &format!("zone '{zone}'"),
                "the account has none of this name",
            )
        })
    }

    fn read(&mut self, zone: &str, owner: &Name) -> Result<Vec<Found>> {
        let owner_name = escaped(&owner.to_string());
        let path = format!("/domains/{zone}/records?type=TXT&name={owner_name}");
        let answer = match self.call(Method::Get, &path, None) {
            // That is how it says that there is none.
            Err(Error::Api { status: 404, .. }) => return Ok(Vec::new()),
            answer => answer?,
        };
        let records = answer["records"].as_array().into_iter().flatten();
        let own = records.filter(|record| name(record).as_ref() == Some(owner));
        let found = own.filter_map(|record| {
            Some(Found {
                id: text(&record["id"])?,
                owner: owner.clone(),
                value: record["data"].as_str()?.to_owned(),
            })
        });
        Ok(found.collect())
    }

    /// Waits for the end of a job; where it is asked for is ours to say, not the answer's.
    fn finish(&mut self, job: &Value) -> Result<()> {
        let id = text(&job["jobId"]).ok_or_else(|| refused("job", "it has no identifier"))?;
        let path = format!("/status/{}?showDetails=true", escaped(&id));
        let started = Instant::now();
        let (mut job, mut pause) = (job.clone(), FIRST_PAUSE);
        loop {
            match job["status"].as_str() {
                Some("COMPLETED") => return Ok(()),
                Some("ERROR") => {
                    let details = job["error"]["details"].as_str();
                    let words = details.or_else(|| job["error"]["message"].as_str());
                    return Err(refused(
                        "job",
                        words.unwrap_or("it failed and says nothing"),
                    ));
                }
                _ if started.elapsed() >= self.within => {
                    let seconds = self.within.as_secs();
                    return Err(refused(
                        "job",
                        &format!("it was not done within {seconds} s"),
                    ));
                }
                _ => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            job = self.call(Method::Get, &path, None)?;
        }
    }
}

impl Publisher for Rackspace {
    fn name(&self) -> &'static str {
        "rackspace"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.for_zones(records, |run, zone, records, found| {
            let is_there = |record: &TextRecord| found.iter().any(|found| found.is(record));
            let missing = records.iter().filter(|record| !is_there(record));
            let missing: Vec<Value> = missing
                .map(|record| {
                    json!({
                        "name": record.owner.to_string(),
                        "type": "TXT",
                        "data": record.value,
                        "ttl": record.ttl.max(SHORTEST_TTL),
                    })
                })
                .collect();
            if missing.is_empty() {
                return Ok(());
            }
            let path = format!("/domains/{zone}/records");
            let job = run.call(Method::Post, &path, Some(&json!({"records": missing})))?;
            run.finish(&job)
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.for_zones(records, |run, zone, records, found| {
            let is_ours = |found: &&Found| records.iter().any(|record| found.is(record));
            let ids: Vec<String> = found
                .iter()
                .filter(is_ours)
                .map(|found| format!("id={}", escaped(&found.id)))
                .collect();
            if ids.is_empty() {
                return Ok(());
            }
            let path = format!("/domains/{zone}/records?{}", ids.join("&"));
            let job = run.call(Method::Delete, &path, None)?;
            run.finish(&job)
        })
    }
}

impl Found {
    fn is(&self, record: &TextRecord) -> bool {
        self.owner == record.owner && self.value == record.value
    }
}

fn name(entry: &Value) -> Option<Name> {
    entry["name"].as_str()?.parse().ok()
}

/// Identifiers come as texts and as numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn refused(what: &str, why: &str) -> Error {
    Error::Configuration {
        what: format!("{what} at Rackspace"),
        why: why.into(),
    }
}
