// SPDX-License-Identifier: Apache-2.0
//! By Cloudflare's API, which has one resource for each record: nobody else's is touched.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use web::{Client, Method};

use crate::message::Text;
use crate::publish::api::{Api, escaped};
use crate::publish::{Published, Publisher, TextRecord, by_zone};
use crate::{Error, Name, Result};

/// Cloudflare takes no less.
const SHORTEST_TTL: u32 = 60;
/// "An identical record already exists", and what it is called where only the value is the same.
const IDENTICAL: [i64; 2] = [81057, 81058];
/// "Record does not exist."
const GONE: i64 = 81044;

/// Cloudflare.
#[derive(Clone, Debug)]
pub struct Cloudflare {
    api: Api,
    zone_id: Option<String>,
}

/// A record there.
struct Found {
    id: String,
    value: Vec<u8>,
}

impl Cloudflare {
    /// The service at `url` (`https://api.cloudflare.com/client/v4`), with a token that may edit the DNS of the zone
    /// `zone_id`, or read zones as well; then the zone is looked for by its name.
    pub fn new(client: Arc<Client>, url: &str, token: &str, zone_id: Option<String>) -> Self {
        Self {
            api: Api::new("Cloudflare", client, url).secret_header(
                "Authorization",
                "Bearer ",
                token,
            ),
            zone_id,
        }
    }

    fn result(&self, path: &str, steps: &mut usize) -> Result<Vec<Value>> {
        *steps += 1;
        let answer: Value = self.api.call(Method::Get, path, None)?.json()?;
        Ok(answer["result"].as_array().cloned().unwrap_or_default())
    }

    fn zone_id(&self, zone: &Name, steps: &mut usize) -> Result<String> {
        if let Some(id) = &self.zone_id {
            return Ok(id.clone());
        }
        let path = format!("/zones?name={}", escaped(&zone.to_string()));
        let zones = self.result(&path, steps)?;
        let id = zones.iter().find_map(|found| {
            let name: Name = found["name"].as_str()?.parse().ok()?;
            (name == *zone).then(|| found["id"].as_str())?
        });
        id.map(str::to_owned).ok_or_else(|| Error::Configuration {
            what: format!("zone '{zone}' at Cloudflare"),
            why: "there is no zone of this name for this token".into(),
        })
    }

    /// The text records of one name.
    fn found(&self, zone: &str, owner: &Name, steps: &mut usize) -> Result<Vec<Found>> {
        let path = format!(
            "/zones/{zone}/dns_records?type=TXT&name={}&per_page=1000",
            escaped(&owner.to_string())
        );
        let records = self.result(&path, steps)?;
        let found = records.iter().filter_map(|record| {
            let name: Name = record["name"].as_str()?.parse().ok()?;
            (name == *owner).then(|| Found {
                id: record["id"].as_str().unwrap_or_default().to_owned(),
                value: unquoted(record["content"].as_str().unwrap_or_default()),
            })
        });
        Ok(found.collect())
    }

    /// In the wrong zone Cloudflare takes any name, and puts the name of the zone behind it.
    fn check_added(
        &self,
        path: &str,
        added: &Value,
        owner: &Name,
        steps: &mut usize,
    ) -> Result<()> {
        let record = &added["result"];
        let name: Option<Name> = record["name"].as_str().and_then(|name| name.parse().ok());
        if name.as_ref() == Some(owner) {
            return Ok(());
        }
        if let Some(id) = record["id"].as_str() {
            *steps += 1;
            let path = format!("{path}/{}", escaped(id));
            self.api.call(Method::Delete, &path, None)?;
        }
        Err(Error::Configuration {
            what: format!("'{owner}' at Cloudflare"),
            why: "the zone with the given identifier is another one".into(),
        })
    }

    /// Calls `each` with the records there are, for each name.
    fn for_names(
        &self,
        records: &[TextRecord],
        mut each: impl FnMut(&str, &[&TextRecord], Vec<Found>, &mut usize) -> Result<()>,
    ) -> Result<Published> {
        let mut done = Published::default();
        for (zone, records) in by_zone(records) {
            let id = self.zone_id(zone, &mut done.steps)?;
            let mut names: BTreeMap<&Name, Vec<&TextRecord>> = BTreeMap::new();
            for record in records {
                names.entry(&record.owner).or_default().push(record);
            }
            for (owner, records) in names {
                let found = self.found(&id, owner, &mut done.steps)?;
                each(&id, &records, found, &mut done.steps)?;
            }
        }
        Ok(done)
    }
}

impl Publisher for Cloudflare {
    fn name(&self) -> &'static str {
        "cloudflare"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.for_names(records, |zone, records, found, steps| {
            for record in records {
                let is_there = |found: &Found| found.value == record.value.as_bytes();
                if found.iter().any(is_there) {
                    continue;
                }
                *steps += 1;
                let body = json!({
                    "type": "TXT",
                    "name": record.owner.to_string(),
                    "content": Text::from_value(record.value.as_bytes()).to_string(),
                    "ttl": record.ttl.max(SHORTEST_TTL),
                });
                let path = format!("/zones/{zone}/dns_records");
                match self.api.call(Method::Post, &path, Some(&body)) {
                    Ok(added) => self.check_added(&path, &added.json()?, &record.owner, steps)?,
                    refused => unless(refused.map(drop), &IDENTICAL)?,
                }
            }
            Ok(())
        })
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.for_names(records, |zone, records, found, steps| {
            let is_ours = |found: &&Found| {
                records
                    .iter()
                    .any(|record| found.value == record.value.as_bytes())
            };
            for found in found.iter().filter(is_ours) {
                *steps += 1;
                let path = format!("/zones/{zone}/dns_records/{}", escaped(&found.id));
                let removed = self.api.call(Method::Delete, &path, None);
                unless(removed.map(drop), &[GONE])?;
            }
            Ok(())
        })
    }
}

/// A refusal with one of these codes means that somebody else did the same in between.
fn unless(result: Result<()>, codes: &[i64]) -> Result<()> {
    match result {
        Err(Error::Api { said, .. })
            if codes.iter().any(|code| {
                let said = said.replace(' ', "");
                said.contains(&format!("\"code\":{code}"))
            }) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// The value of a content, which Cloudflare gives back with or without quotes, as it was put in.
fn unquoted(content: &str) -> Vec<u8> {
    if !content.starts_with('"') {
        return content.as_bytes().to_vec();
    }
    let mut value = Vec::new();
    let (mut inside, mut bytes) = (false, content.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => inside = !inside,
            b'\\' if inside => {
                // Three digits are a number, anything else is itself.
                let next = bytes.next().unwrap_or(b'\\');
                let digits = bytes.clone().take(2).filter(u8::is_ascii_digit);
                let digits: Vec<u8> = std::iter::once(next).chain(digits).collect();
                let number = std::str::from_utf8(&digits).ok();
                match number.filter(|n| n.len() == 3).and_then(|n| n.parse().ok()) {
                    Some(number) => {
                        value.push(number);
                        bytes.nth(1);
                    }
                    None => value.push(next),
                }
            }
            byte if inside => value.push(byte),
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_with_and_without_quotes() {
        for (content, value) in [
            ("plain text", &b"plain text"[..]),
            ("\"quoted\"", b"quoted"),
            ("\"two \" \"parts\"", b"two parts"),
            (r#""q\"; \\ \195\164 \1a""#, b"q\"; \\ \xc3\xa4 1a"),
            ("\"open", b"open"),
            ("\"\\", b"\\"),
        ] {
            assert_eq!(unquoted(content), value, "{content}");
        }
        let text = Text::from_value(b"a\"b\\c\xff").to_string();
        assert_eq!(unquoted(&text), b"a\"b\\c\xff");
    }
}
