// SPDX-License-Identifier: Apache-2.0
//! The connection.

use std::sync::Mutex;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use web::Method;

use crate::call::{Call, Leave, Repeat};
use crate::node::Node;
use crate::session::Sessions;
use crate::tries::Choice;
use crate::{Answer, Error, Result, Secret, Settings};

/// How long giving a token back may be tried: nothing depends on it but tidiness.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection to the nodes of one cluster. Threads may share it; it logs in when a token is needed first. When it is
/// dropped, it is closed.
#[derive(Debug)]
pub struct Vault {
    settings: Settings,
    pub(crate) nodes: Vec<Node>,
    pub(crate) choice: Mutex<Choice>,
    pub(crate) sessions: Sessions,
}

impl Vault {
    /// Checks the settings; nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Plaintext`].
    pub fn open(settings: Settings) -> Result<Self> {
        if let Some(namespace) = &settings.namespace
            && !namespace.bytes().all(|b| (0x21..0x7f).contains(&b))
        {
            return Err(Error::Setting {
                what: "namespace",
                reason: format!(
                    "'{}' has characters that no header takes",
                    namespace.escape_debug()
                ),
            });
        }
        Ok(Self {
            nodes: Node::all(&settings)?,
            settings,
            choice: Mutex::default(),
            sessions: Sessions::default(),
        })
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Gives back the token if it was got by logging in, and batch tokens apart, which end by themselves. What goes
    /// wrong with that is worth a warning, no more.
    pub fn close(&self) -> Vec<String> {
        let Some(session) = self.take_session() else {
            return Vec::new();
        };
        if !(session.is_ours && session.is_revocable && self.settings.revoke_after) {
            return Vec::new();
        }
        let leave = Leave::Token(session.token.clone());
        let revoked = Call::new(Method::Post, "auth/token/revoke-self")
            .map(|call| call.leave(leave).json(&json!({})).within(FAREWELL))
            .and_then(|call| self.ask(&call));
        match revoked {
            Ok(_) => Vec::new(),
            Err(error) => vec![format!("the token of the login was not revoked: {error}")],
        }
    }

    /// Reads a path; `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn read(&self, path: &str) -> Result<Option<Answer>> {
        self.found(&Call::new(Method::Get, path)?)
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
        self.found(&Call::new(Method::List, path)?)
    }

    /// What a path answers that is not JSON (`pki/ca/pem`, `pki/crl`); `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn read_raw(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let response = self.ask(&Call::new(Method::Get, path)?)?;
        if response.media_type() == "text/html" {
            return Err(self.foreign(&response));
        }
        Ok((response.status == 200).then_some(response.body))
    }

    /// Writes; replaces what is there, or does something.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write(&self, path: &str, body: &Value, repeat: Repeat) -> Result<Answer> {
        self.done(&Call::new(Method::Post, path)?.json(body).repeat(repeat))
    }

    /// Writes, and gets not the answer but a token with which it can be had once (`X-Vault-Wrap-TTL`).
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write_wrapped(&self, path: &str, body: &Value, seconds: u64) -> Result<Wrapped> {
        let call = Call::new(Method::Post, path)?.json(body).wrapped(seconds);
        let response = self.ask(&call)?;
        let whole: Value = response.json().unwrap_or_default();
        let info: Option<WrapInfo> = serde_json::from_value(whole["wrap_info"].clone()).ok();
        let Some(info) = info else {
            return Err(Error::Answer {
                url: response.url,
                reason: "it is not wrapped".to_owned(),
            });
        };
        Ok(Wrapped {
            token: Secret::new(info.token),
            accessor: info.accessor,
            wrapped_accessor: info.wrapped_accessor,
            ttl: info.ttl,
            creation_path: info.creation_path,
        })
    }

    /// Changes the members that are given, and no other.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.done(&Call::new(Method::Patch, path)?.merge_patch(body))
    }

    /// Deletes; what is not there is deleted too.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.done(&Call::new(Method::Delete, path)?)
    }

    pub(crate) fn found(&self, call: &Call) -> Result<Option<Answer>> {
        let response = self.ask(call)?;
        match response.status {
            404 => Ok(None),
            _ => self.answer(&response).map(Some),
        }
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // There is nobody left to hear the warning.
        let _ = self.close();
    }
}

/// A token with which an answer can be had once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The wrapping token.
    pub token: Secret,
    /// With which it can be revoked by who must not have it.
    pub accessor: String,
    /// The accessor of a token in it, if there is one.
    pub wrapped_accessor: String,
    /// How long it is good, in seconds.
    pub ttl: u64,
    /// The path that made it, which who unwraps compares.
    pub creation_path: String,
}

#[derive(Deserialize)]
struct WrapInfo {
    token: String,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    wrapped_accessor: String,
    ttl: u64,
    creation_path: String,
}
