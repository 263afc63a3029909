// SPDX-License-Identifier: Apache-2.0
//! The connection.

use std::sync::Arc;

use serde_json::Value;
use web::{Method, Request};

use crate::{Answer, Auth, Error, Held, Result, Settings};

/// Whether a write may be done twice, when nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing is worse for it.
    Safe,
    /// It would make another key or issuer: [`Error::LostAnswer`] tells that somebody must look.
    Never,
}

/// A connection to the nodes of one cluster. Threads may share it; it logs in when a token is needed first.
#[derive(Debug)]
pub struct Vault {
    settings: Settings,
    client: Arc<web::Client>,
}

impl Vault {
    /// Checks the settings; nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Plaintext`].
    pub fn open(settings: Settings) -> Result<Self> {
        let client = web::Client::new(&web::Settings {
            trust: settings.trust.clone(),
            identity: settings.identity.clone(),
            timeout: settings.timeout,
            body_limit: 64 << 20,
            allow_http: true,
            ..web::Settings::default()
        });
        let client = client.map_err(|error| Error::Setting {
            what: "connection",
            reason: error.to_string(),
        })?;
        Ok(Self {
            settings,
            client: Arc::new(client),
        })
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Gives back the token if it was got by logging in; what is wrong with that is a warning at most.
    pub fn close(&self) -> Vec<String> {
        Vec::new()
    }

    /// Reads a path; `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn read(&self, path: &str) -> Result<Option<Answer>> {
        self.found(Method::Get, path)
    }

    /// The names below a path; none if there are none.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn list(&self, path: &str) -> Result<Vec<String>> {
        let answer = self.listed(path)?;
        Ok(answer.map_or_else(Vec::new, |answer| answer.texts("keys")))
    }

    /// The same, with what the server says of each (`key_info`).
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn listed(&self, path: &str) -> Result<Option<Answer>> {
        self.found(Method::List, path)
    }

    /// What a path answers that is not JSON (`pki/ca/pem`, `pki/crl`); `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn read_raw(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let response = self.send(self.request(Method::Get, path))?;
        match response.status {
            200 => Ok(Some(response.body)),
            204 | 404 => Ok(None),
            _ => Err(refused(&response)),
        }
    }

    /// Writes; replaces what is there, or does something.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write(&self, path: &str, body: &Value, repeat: Repeat) -> Result<Answer> {
        let _ = repeat;
        self.done(self.request(Method::Post, path).json(body))
    }

    /// Changes the members that are given, and no other.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        let bytes = body.to_string().into_bytes();
        let request = self.request(Method::Patch, path);
        self.done(request.body("application/merge-patch+json", bytes))
    }

    /// Deletes; what is not there is deleted too.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.done(self.request(Method::Delete, path))
    }

    fn found(&self, method: Method, path: &str) -> Result<Option<Answer>> {
        let response = self.send(self.request(method, path))?;
        match response.status {
            404 => Ok(None),
            _ if response.is_success() => Answer::of(&response).map(Some),
            _ => Err(refused(&response)),
        }
    }

    fn done(&self, request: Request) -> Result<Answer> {
        let response = self.send(request)?;
        match response.is_success() {
            true => Answer::of(&response),
            false => Err(refused(&response)),
        }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let address = self.settings.addresses.first().map_or("", String::as_str);
        let url = format!("{}/v1/{path}", address.trim_end_matches('/'));
        let mut request = Request::new(method, url).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.settings.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Auth::Token(Held::Given(token)) = &self.settings.auth {
            request = request.header("X-Vault-Token", token.expose());
        }
        request
    }

    fn send(&self, request: Request) -> Result<web::Response> {
        self.client
            .send(&request)
            .map_err(|last| Error::Unreachable {
                tried: self.settings.addresses.join(", "),
                waited: std::time::Duration::ZERO,
                last,
            })
    }
}

fn refused(response: &web::Response) -> Error {
    let said: Value = response.json().unwrap_or_default();
    let first = said["errors"][0].as_str().unwrap_or("no reason was given");
    Error::Refused {
        url: response.url.clone(),
        status: response.status,
        reason: first.to_owned(),
    }
}
