// SPDX-License-Identifier: Apache-2.0
//! What the publishers that speak HTTP share.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use web::{Client, Method, Request, Response};

use crate::{Error, Result};

/// More of what a service says than this is of no use in a message.
const SAID_LIMIT: usize = 300;
/// More of it than this is not looked at.
const LOOKED_AT: usize = 4096;
/// What stands in a message where a secret was, as in the whole answer.
const MASK: &str = "********";

/// A service with the headers that let us in. `Debug` shows no header.
#[derive(Clone)]
pub(crate) struct Api {
    service: &'static str,
    client: Arc<Client>,
    base: String,
    headers: Vec<(&'static str, String)>,
    /// What no message may show, should the service say it.
    secrets: Vec<String>,
}

impl Api {
    pub(crate) fn new(service: &'static str, client: Arc<Client>, base: &str) -> Self {
        Self {
            service,
            client,
            base: base.trim_end_matches('/').to_owned(),
            headers: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// With a header in each request.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a secret in a header of each request, behind a word such as `Bearer `.
    pub(crate) fn secret_header(self, name: &'static str, word: &str, secret: &str) -> Self {
        self.header(name, format!("{word}{secret}")).hiding(secret)
    }

    /// With a secret that no message shows, whoever says it.
    pub(crate) fn hiding(mut self, secret: &str) -> Self {
        if !secret.is_empty() {
            self.secrets.push(secret.to_owned());
        }
        self
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks, and takes any answer of success.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut request = Request::new(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(method, request)
    }

    /// Sends a request that is made already.
    pub(crate) fn send(&self, method: Method, mut request: Request) -> Result<Response> {
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = self.client.send(&request)?;
        match answer.is_success() {
            true => Ok(answer),
            false => Err(Error::Api {
                service: self.service,
                asked: format!("{} {}", method.as_str(), answer.url),
                status: answer.status,
                said: said(&answer.body, &self.secrets),
            }),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("service", &self.service)
            .field("base", &web::shown(&self.base))
            .finish_non_exhaustive()
    }
}

/// The beginning of an answer, in one line of readable characters, without secrets.
fn said(body: &[u8], secrets: &[String]) -> String {
    let text = String::from_utf8_lossy(body.get(..LOOKED_AT).unwrap_or(body));
    let mut text = text.into_owned();
    for secret in secrets {
        text = text.replace(secret.as_str(), MASK);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace(char::is_control, "?");
    line.chars().take(SAID_LIMIT).collect()
}

/// A name in a query: whatever is not plain is escaped.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_one_short_line_without_secrets() {
        let secrets = [String::from("hunter2")];
        assert_eq!(
            said(b"no 'hunter2'\n\x07 here", &secrets),
            "no '********' ? here"
        );
        assert_eq!(said(&[b'x'; 10_000], &[]).len(), SAID_LIMIT);
        assert_eq!(said(b"\xff", &[]), "\u{fffd}");
    }
}
