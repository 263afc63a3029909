// SPDX-License-Identifier: Apache-2.0
//! What was answered.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Error, Result, parse_http_date};

/// An answer, whole. The body may hold a secret, so `Debug` shows its size only.
#[derive(Clone)]
pub struct Response {
    /// What was asked, as messages may show it.
    pub url: String,
    /// The status.
    pub status: u16,
    /// Names in lower case and values, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is one of 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// All headers of this name, in any case.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The media type in lower case, without parameters; empty if the answer names none.
    pub fn media_type(&self) -> String {
        let all = self.header("content-type").unwrap_or_default();
        let media_type = all.split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    /// The body as JSON; the media type must be one of JSON.
    ///
    /// # Errors
    /// [`Error::Content`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let media_type = self.media_type();
        if media_type != "application/json" && !media_type.ends_with("+json") {
            return Err(self.content("JSON", self.described(&media_type)));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| self.content("the JSON that was expected", json_reason(&error)))
    }

    /// The failure that this body is not what was expected.
    pub fn content(&self, expected: &'static str, reason: impl Into<String>) -> Error {
        Error::Content {
            url: self.url.clone(),
            expected,
            reason: reason.into(),
        }
    }

    fn described(&self, media_type: &str) -> String {
        let named = match media_type {
            "" => "without a content type",
            named => named,
        };
        format!("status {}, {} bytes {named}", self.status, self.body.len(),)
    }

    /// How long the server wants not to be asked, by its `Retry-After` in seconds or as a date; `now` in seconds since
    /// 1970. A date that is over is no time.
    pub fn retry_after(&self, now: i64) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = parse_http_date(value)?;
        Some(Duration::from_secs(
            u64::try_from(until.saturating_sub(now)).unwrap_or(0),
        ))
    }
}

/// What is wrong with JSON, without the values in it: one may be a secret that stands in the wrong place.
fn json_reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match error.is_data() && !words.starts_with("missing field") {
        true => format!(
            "a value at line {} column {} is not of the kind that was expected",
            error.line(),
            error.column()
        ),
        false => words,
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url,
            status,
            headers: _,
            body,
        } = self;
        f.debug_struct("Response")
            .field("url", url)
            .field("status", status)
            .field("body", &format_args!("{} bytes", body.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            url: "https://ca.example/x".into(),
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |value| with(&[("retry-after", value)], "").retry_after(784_111_770);
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            after("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(after("Sun, 06 Nov 1993 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-5"), None);
        assert_eq!(with(&[], "").retry_after(0), None);
    }

    #[test]
    fn only_json_is_read_as_json() {
        let kind = |header: &str, body: &str| {
            let answer = with(&[("content-type", header)], body);
            answer
                .json::<serde_json::Value>()
                .map_err(|error| error.to_string())
        };
        assert!(kind("application/json; charset=utf-8", "{}").is_ok());
        assert!(kind("application/problem+json", "{}").is_ok());
        let html = kind("text/html", "<html>{}</html>");
        assert_eq!(
            html,
            Err(
                "the answer of https://ca.example/x is not JSON: status 200, 15 bytes text/html"
                    .into()
            )
        );
        let broken = kind("application/json", "{\"a\":")
            .err()
            .unwrap_or_default();
        assert!(broken.contains("EOF while parsing"), "{broken}");
        let secret = with(&[("content-type", "application/json")], "[\"hvs.secret\"]");
        let refused = secret
            .json::<Vec<u8>>()
            .err()
            .map(|error| error.to_string());
        let refused = refused.unwrap_or_default();
        assert!(refused.contains("line 1 column 13"), "{refused}");
        assert!(!refused.contains("hvs"), "{refused}");
    }
}
