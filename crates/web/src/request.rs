// SPDX-License-Identifier: Apache-2.0
//! What is asked.

use std::fmt;

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Remove it.
    Delete,
    /// Read it.
    Get,
    /// Read its headers.
    Head,
    /// Read the names below it, as Vault has it.
    List,
    /// Change a part of it.
    Patch,
    /// Hand something in.
    Post,
    /// Replace it.
    Put,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::List => "LIST",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// One request. Headers and body may hold secrets, so `Debug` shows their names and size only.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    /// Without headers of its own and without a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it a body of this type.
    #[must_use]
    pub fn body(self, content_type: &str, body: Vec<u8>) -> Self {
        let mut with_type = self.header("Content-Type", content_type);
        with_type.body = Some(body);
        with_type
    }

    /// Gives it a JSON body.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string().into_bytes())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            url,
            headers,
            body,
        } = self;
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("method", method)
            .field("url", &crate::shown(url))
            .field("headers", &names)
            .field("body", &body.as_ref().map(Vec::len))
            .finish()
    }
}
