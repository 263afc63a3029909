// SPDX-License-Identifier: Apache-2.0
//! Starts a tidy and waits for its end.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use vault::{Repeat, Vault};

use super::super::error::Error;
use super::super::observe::last_tidy;
use super::super::wish::TidyWish;

/// How often its state is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// Starts it. Where its end is not waited for, or comes later, the server goes on by itself.
pub(super) fn run(vault: &Vault, mount: &str, wish: &TidyWish) -> Result<(), Error> {
    let fields = wish.fields.iter();
    let body: Map<String, Value> = fields
        .map(|(field, value)| (field.name.to_owned(), value.clone()))
        .collect();
    vault
        .write(&format!("{mount}/tidy"), &Value::Object(body), Repeat::Safe)
        .map_err(Error::server("start a tidy"))?;
    let deadline = Instant::now() + Duration::from_secs(wish.wait);
    while Instant::now() < deadline {
        let last = last_tidy(vault, mount)?;
        let failed = |problem: String| Error::Tidy {
            mount: mount.to_owned(),
            problem,
        };
        match last.state.as_str() {
            "Running" => std::thread::sleep(PAUSE),
            "Error" => {
                let why = last
                    .error
                    .unwrap_or_else(|| "no reason is given".to_owned());
                return Err(failed(format!("failed: {why}")));
            }
            "Cancelled" | "Cancelling" => return Err(failed("was cancelled".to_owned())),
            _ => return Ok(()),
        }
    }
    Ok(())
}
