// SPDX-License-Identifier: Apache-2.0
//! By any program of the user's: it gets the records as JSON on its standard input.
//!
//! ```json
//! {"action": "publish", "records": [{"name": "h1.acme.example", "zone": "acme.example", "value": "…", "ttl": 60}]}
//! ```
//!
//! `action` is `publish` or `withdraw`; names have no dot at their end. The program adds or removes exactly these records
//! and ends with status 0 when all is done. It is called once for all records, without a shell, with an environment of
//! `PATH` and `LC_ALL` alone; credentials are its own business. What it prints is shown only when it fails.
//! `extras/hook_acme_sh.py` is one that calls a script of acme.sh's `dnsapi` for each record.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::program;
use crate::publish::{Published, Publisher, TextRecord};

/// A program that publishes.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it has for all records together.
    pub within: Duration,
}

impl Hook {
    fn call(&self, action: &str, records: &[TextRecord]) -> Result<Published> {
        if records.is_empty() {
            return Ok(Published::default());
        }
        let records: Vec<Value> = records
            .iter()
            .map(|record| {
                json!({
                    "name": record.owner.to_string(),
                    "zone": record.zone.to_string(),
                    "value": record.value,
                    "ttl": record.ttl,
                })
            })
            .collect();
        let input = json!({"action": action, "records": records}).to_string();
        program::run(&self.command, input.as_bytes(), self.within)?;
        Ok(Published {
            steps: 1,
            ..Published::default()
        })
    }
}

impl Publisher for Hook {
    fn name(&self) -> &'static str {
        "hook"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        self.call("publish", records)
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        self.call("withdraw", records)
    }
}
