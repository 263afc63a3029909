// SPDX-License-Identifier: Apache-2.0
//! One call of the API, before it is known which node gets it.

use std::time::Duration;

use serde_json::Value;
use web::Method;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Whether a write may be done twice, when nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing is worse for it.
    Safe,
    /// It would make another key or issuer: [`Error::LostAnswer`] tells that somebody must look.
    Never,
}

/// Whose leave a call has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Nobody's: the login itself, and the state of the server.
    Nobody,
    /// That of the one token of the connection.
    Session,
    /// That of this token.
    Token(crate::Secret),
}

/// What is to be asked.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below `/v1/`, as it stands in the URL.
    pub(crate) path: String,
    content_type: &'static str,
    body: Option<Zeroizing<Vec<u8>>>,
    pub(crate) repeat: Repeat,
    pub(crate) leave: Leave,
    /// Whether it is asked in the namespace of the connection; the state of a server is in none.
    pub(crate) in_namespace: bool,
    /// Whether the node that leads must answer, if reads shall see writes.
    pub(crate) at_leader: bool,
    /// How long the answer is to be wrapped, in seconds.
    pub(crate) wrap_ttl: Option<u64>,
    /// How long it is tried, if not as long as everything.
    pub(crate) window: Option<Duration>,
}

impl Call {
    /// With the token, in the namespace, at the leader.
    pub(crate) fn new(method: Method, path: &str) -> Result<Self> {
        Ok(Self {
            method,
            path: encoded(path)?,
            content_type: "",
            body: None,
            repeat: Repeat::Safe,
            leave: Leave::Session,
            in_namespace: true,
            at_leader: true,
            wrap_ttl: None,
            window: None,
        })
    }

    /// A question for the state of a server: of any that answers, whose words it is.
    pub(crate) fn state(path_and_query: &str) -> Self {
        Self {
            method: Method::Get,
            path: path_and_query.to_owned(),
            content_type: "",
            body: None,
            repeat: Repeat::Safe,
            leave: Leave::Nobody,
            in_namespace: false,
            at_leader: false,
            wrap_ttl: None,
            window: None,
        }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn merge_patch(self, body: &Value) -> Self {
        self.body("application/merge-patch+json", body)
    }

    fn body(mut self, content_type: &'static str, body: &Value) -> Self {
        self.content_type = content_type;
        self.body = Some(Zeroizing::new(body.to_string().into_bytes()));
        self
    }

    pub(crate) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    pub(crate) fn leave(mut self, leave: Leave) -> Self {
        self.leave = leave;
        self
    }

    pub(crate) fn within(mut self, window: Duration) -> Self {
        self.window = Some(window);
        self
    }

    pub(crate) fn wrapped(mut self, seconds: u64) -> Self {
        self.wrap_ttl = Some(seconds);
        self
    }

    /// As it is sent to a server.
    pub(crate) fn request(
        &self,
        base: &str,
        namespace: Option<&str>,
        token: Option<&str>,
    ) -> web::Request {
        let url = format!("{base}/v1/{}", self.path);
        let mut request = web::Request::new(self.method, url).header("X-Vault-Request", "true");
        if let (true, Some(namespace)) = (self.in_namespace, namespace) {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token);
        }
        if let Some(seconds) = self.wrap_ttl {
            request = request.header("X-Vault-Wrap-TTL", format!("{seconds}s"));
        }
        match &self.body {
            Some(body) => request.body(self.content_type, body.to_vec()),
            None => request,
        }
    }
}

/// A path of the API as it stands in a URL. Names come from people: what a URL would take for something else is escaped,
/// and what would lead out of the mount is refused.
fn encoded(path: &str) -> Result<String> {
    let wrong = |reason| Error::Path {
        path: path.to_owned(),
        reason,
    };
    let trimmed = path.trim_matches('/');
    if trimmed
        .split('/')
        .any(|part| matches!(part, "" | "." | ".."))
    {
        return Err(wrong("a part of it is empty, '.' or '..'"));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(wrong("it has control characters"));
    }
    let mut out = String::with_capacity(trimmed.len());
    for byte in trimmed.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' | b'+' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_lead_elsewhere() {
        let path = |text| encoded(text).map_err(|error| error.kind());
        assert_eq!(path("pki/roles/web"), Ok("pki/roles/web".into()));
        assert_eq!(path("/pki/roles/"), Ok("pki/roles".into()));
        assert_eq!(
            path("pki/roles/a b?c#d%e"),
            Ok("pki/roles/a%20b%3Fc%23d%25e".into())
        );
        assert_eq!(path("pki/cert/1a-2b"), Ok("pki/cert/1a-2b".into()));
        for bad in ["pki/../sys/seal", "pki//roles", "", "pki/./x", "pki/a\nb"] {
            assert_eq!(path(bad), Err("vault.path"), "{bad}");
        }
    }
}
