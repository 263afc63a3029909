// SPDX-License-Identifier: Apache-2.0
//! What the API answers.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A good answer. It may hold keys and tokens, so `Debug` shows the names of its members only.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// What was asked, as messages may show it.
    pub url: String,
    /// `data`, or for the few paths without an envelope all of it; empty if there is none.
    pub data: Map<String, Value>,
    /// What the server remarks; never one of unrecognized parameters, which are an error.
    pub warnings: Vec<String>,
    pub(crate) auth: Option<AuthData>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.data.keys().collect();
        f.debug_struct("Answer")
            .field("url", &self.url)
            .field("data", &names)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// What a login gives.
#[derive(Clone, PartialEq, Deserialize)]
pub(crate) struct AuthData {
    pub(crate) client_token: String,
    #[serde(default)]
    pub(crate) lease_duration: u64,
    #[serde(default)]
    pub(crate) token_type: String,
}

#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    auth: Option<AuthData>,
}

impl Answer {
    /// A member that is a text.
    ///
    /// # Errors
    /// [`Error::Answer`] if it is not there.
    pub fn text(&self, member: &str) -> Result<&str> {
        let found = self.data.get(member).and_then(Value::as_str);
        found.ok_or_else(|| self.lacks(member, "a text"))
    }

    /// A member that is a text and may be missing.
    pub fn optional_text(&self, member: &str) -> Option<&str> {
        let text = self.data.get(member).and_then(Value::as_str)?;
        (!text.is_empty()).then_some(text)
    }

    /// A member that is a whole number.
    ///
    /// # Errors
    /// [`Error::Answer`] if it is not there.
    pub fn number(&self, member: &str) -> Result<i64> {
        let found = self.data.get(member).and_then(Value::as_i64);
        found.ok_or_else(|| self.lacks(member, "a number"))
    }

    /// The texts of a list; none if there is no list, which is how the server writes an empty one.
    pub fn texts(&self, member: &str) -> Vec<String> {
        let list = self.data.get(member).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// The data as a value of the caller's.
    ///
    /// # Errors
    /// [`Error::Answer`] if it is of another form.
    pub fn parsed<T: for<'de> Deserialize<'de>>(&self) -> Result<T> {
        serde_json::from_value(Value::Object(self.data.clone())).map_err(|error| Error::Answer {
            url: self.url.clone(),
            // Only the place: a value may be a secret.
            reason: match error.is_data() && !error.to_string().starts_with("missing field") {
                true => "a member of 'data' is not of the kind that was expected".to_owned(),
                false => error.to_string(),
            },
        })
    }

    fn lacks(&self, member: &str, kind: &str) -> Error {
        Error::Answer {
            url: self.url.clone(),
            reason: format!("'{member}' is not {kind} in its data"),
        }
    }

    /// Reads a successful answer; one without a body is empty.
    pub(crate) fn of(response: &web::Response) -> Result<Self> {
        let url = response.url.clone();
        let wrong = |error: web::Error| Error::Answer {
            url: response.url.clone(),
            reason: error.to_string(),
        };
        let whole: Map<String, Value> = match response.body.is_empty() {
            true => Map::new(),
            false => response.json().map_err(wrong)?,
        };
        if !whole.contains_key("request_id") {
            return Ok(Self {
                url,
                data: whole,
                warnings: Vec::new(),
                auth: None,
            });
        }
        let envelope: Envelope = response.json().map_err(wrong)?;
        let warnings = envelope.warnings.unwrap_or_default();
        if let Some(warning) = warnings.iter().find(|text| is_unrecognized(text)) {
            let warning = warning.clone();
            return Err(Error::UnrecognizedParameters { url, warning });
        }
        let data = match envelope.data {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        Ok(Self {
            url,
            data,
            warnings,
            auth: envelope.auth,
        })
    }
}

fn is_unrecognized(warning: &str) -> bool {
    warning.contains("ignored these unrecognized parameters")
}
