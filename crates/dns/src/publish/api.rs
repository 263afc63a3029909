// SPDX-License-Identifier: Apache-2.0
//! What the publishers that speak HTTP share.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use web::{Client, Method, Request, Response};

use crate::{Error, Result};

/// More of what a service says than this is of no use in a message.
const SAID_LIMIT: usize = 300;

/// A service with the headers that let us in. `Debug` shows no header.
#[derive(Clone)]
pub(crate) struct Api {
    service: &'static str,
    client: Arc<Client>,
    base: String,
    headers: Vec<(&'static str, String)>,
}

impl Api {
    pub(crate) fn new(service: &'static str, client: Arc<Client>, base: &str) -> Self {
        Self {
            service,
            client,
            base: base.trim_end_matches('/').to_owned(),
            headers: Vec::new(),
        }
    }

    /// With a header in each request.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
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
                said: said(&answer.body),
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

/// The beginning of an answer, in one line of readable characters.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..SAID_LIMIT).unwrap_or(body));
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(char::is_control, "?")
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
