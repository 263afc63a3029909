// SPDX-License-Identifier: Apache-2.0
//! Answers that are wrapped: in their place comes a token that can be exchanged for them once, and soon.

use serde::Deserialize;
use serde_json::Value;
use web::Method;

use crate::{Error, Result, Secret, Vault};

/// What stands for a wrapped answer.
#[derive(Clone, Debug)]
pub struct Wrapped {
    /// Exchanged for the answer by whoever comes first.
    pub token: Secret,
    /// The accessor of what is inside, if it has one: it revokes, and tells nothing.
    pub accessor: String,
}

#[derive(Deserialize)]
struct Envelope {
    wrap_info: Info,
}

#[derive(Deserialize)]
struct Info {
    token: String,
    #[serde(default)]
    wrapped_accessor: String,
}

impl Vault {
    /// Writes, and has the answer wrapped for so many seconds. It is not repeated if the answer is lost: nobody could take
    /// back what is inside.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write_wrapped(&self, path: &str, body: &Value, seconds: u64) -> Result<Wrapped> {
        let request = self.request(Method::Post, path).json(body);
        let request = request.header("X-Vault-Wrap-TTL", format!("{seconds}s"));
        let response = self.send(request)?;
        if !response.is_success() {
            return Err(crate::connection::refused(&response));
        }
        let envelope: Envelope = response.json().map_err(|_| Error::Answer {
            url: response.url.clone(),
            // The reason might quote the answer, which holds what nobody may see.
            reason: "its answer is not wrapped".to_owned(),
        })?;
        Ok(Wrapped {
            token: Secret::new(envelope.wrap_info.token),
            accessor: envelope.wrap_info.wrapped_accessor,
        })
    }
}
