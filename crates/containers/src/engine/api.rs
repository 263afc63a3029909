// SPDX-License-Identifier: Apache-2.0
//! One socket: ask, and turn what comes back into JSON or an error that names the socket.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Address, Executed, Execution, Kind, Label};
use crate::http::{self, Failed, Reply, Request};
use crate::{Container, Error, Result};

/// The default of both engines, in seconds.
const DEFAULT_GRACE: u64 = 10;
/// What an engine needs besides the time that the container takes to stop.
const RESTART_ALLOWANCE: Duration = Duration::from_secs(60);

/// An engine's socket.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) label: Label,
    pub(super) socket: PathBuf,
    /// Before every path: `/v4.3.1/libpod`, or nothing.
    pub(super) prefix: String,
    pub(super) limit: Duration,
}

impl Api {
    pub(super) fn new(kind: Kind, socket: PathBuf, prefix: String, limit: Duration) -> Self {
        Self {
            label: Label {
                kind,
                address: Address::Socket(socket.clone()),
            },
            socket,
            prefix,
            limit,
        }
    }

    fn call(&self, request: &Request<'_>, limit: Duration) -> Result<Reply> {
        ask(&self.label, &self.socket, request, limit)
    }

    fn refused(&self, request: &str, reply: &Reply) -> Error {
        Error::Refused {
            engine: self.label.to_string(),
            request: request.to_owned(),
            status: reply.status,
            why: reason(&reply.body),
        }
    }

    fn garbled(&self, request: &str, why: impl Into<String>) -> Error {
        Error::Answer {
            engine: self.label.to_string(),
            request: request.to_owned(),
            why: why.into(),
        }
    }

    fn json(&self, request: &str, reply: &Reply) -> Result<Value> {
        serde_json::from_slice(&reply.body)
            .map_err(|error| self.garbled(request, format!("it is not JSON: {error}")))
    }

    /// `GET`, with `None` for what is not there.
    pub(super) fn fetch(&self, path: &str) -> Result<Option<Value>> {
        let path = format!("{}{path}", self.prefix);
        let request = Request {
            method: "GET",
            path: &path,
            body: None,
            input: None,
        };
        let reply = self.call(&request, self.limit)?;
        match reply.status {
            200 => self.json(&request.to_string(), &reply).map(Some),
            status if is_missing(status, &reply.body) => Ok(None),
            _ => Err(self.refused(&request.to_string(), &reply)),
        }
    }

    /// `POST`; `Gone` for a container that is not there.
    fn post(
        &self,
        path: &str,
        body: Option<&Value>,
        input: Option<&[u8]>,
        limit: Duration,
        on: &Container,
    ) -> Result<Reply> {
        let path = format!("{}{path}", self.prefix);
        let request = Request {
            method: "POST",
            path: &path,
            body,
            input,
        };
        let reply = self.call(&request, limit)?;
        match reply.status {
            101 | 200..300 | 304 => Ok(reply),
            status if is_missing(status, &reply.body) => Err(gone(on)),
            _ => Err(self.refused(&request.to_string(), &reply)),
        }
    }

    pub(super) fn containers(&self) -> Result<Vec<Container>> {
        let path = "/containers/json?all=true";
        let list = self.fetch(path)?.unwrap_or_default();
        let items = list
            .as_array()
            .ok_or_else(|| self.garbled(path, "it is not a list"))?;
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let id = item
                .get("Id")
                .and_then(Value::as_str)
                .ok_or_else(|| self.garbled(path, "a container has no 'Id'"))?;
            // One that was removed meanwhile is no container any more.
            found.extend(self.inspect(id)?);
        }
        Ok(found)
    }

    pub(super) fn inspect(&self, name: &str) -> Result<Option<Container>> {
        let path = format!("/containers/{}/json", encoded(name));
        let Some(value) = self.fetch(&path)? else {
            return Ok(None);
        };
        let found = Container::from_inspect(&value).map_err(|why| self.garbled(&path, why))?;
        // Engines also take the beginning of an identity for a name; that was not meant.
        Ok((found.id == name || found.name == name).then_some(found))
    }

    pub(super) fn restart(&self, container: &Container, grace: Option<u64>) -> Result<()> {
        let seconds = grace.or(container.stop_timeout).unwrap_or(DEFAULT_GRACE);
        let query = grace
            .map(|seconds| format!("?t={seconds}"))
            .unwrap_or_default();
        let path = format!("/containers/{}/restart{query}", container.id);
        let limit = Duration::from_secs(seconds) + RESTART_ALLOWANCE;
        self.post(&path, None, None, limit, container).map(drop)
    }

    pub(super) fn execute(
        &self,
        container: &Container,
        execution: &Execution<'_>,
    ) -> Result<Executed> {
        let takes_input = !execution.input.is_empty();
        let mut wish = serde_json::json!({
            "AttachStdin": takes_input, "AttachStdout": true, "AttachStderr": true, "Tty": false, "Cmd": execution.argv,
        });
        if let (Some(user), Some(map)) = (execution.user, wish.as_object_mut()) {
            map.insert(String::from("User"), user.into());
        }
        let path = format!("/containers/{}/exec", container.id);
        let made = self.post(&path, Some(&wish), None, self.limit, container)?;
        let made = self.json(&path, &made)?;
        let id = made
            .get("Id")
            .and_then(Value::as_str)
            .ok_or_else(|| self.garbled(&path, "no 'Id'"))?;
        let start = serde_json::json!({"Detach": false, "Tty": false});
        let input = takes_input.then_some(execution.input);
        let path = format!("/exec/{id}/start");
        let reply = self.post(&path, Some(&start), input, execution.limit, container)?;
        let path = format!("/exec/{id}/json");
        let state = self.fetch(&path)?.unwrap_or_default();
        let status = state
            .get("ExitCode")
            .and_then(Value::as_i64)
            .ok_or_else(|| self.garbled(&path, "no 'ExitCode'"))?;
        Ok(Executed {
            status,
            output: unframed(&reply.body),
        })
    }

    pub(super) fn last_lines(&self, container: &Container, count: usize) -> Result<String> {
        let path = format!(
            "{}/containers/{}/logs?stdout=true&stderr=true&follow=false&tail={count}",
            self.prefix, container.id
        );
        let request = Request {
            method: "GET",
            path: &path,
            body: None,
            input: None,
        };
        let reply = self.call(&request, self.limit)?;
        match reply.status {
            200 if container.has_terminal => Ok(crate::program::last_lines(&reply.body, count)),
            200 => Ok(crate::program::last_lines(&unframed(&reply.body), count)),
            status if is_missing(status, &reply.body) => Err(gone(container)),
            _ => Err(self.refused(&request.to_string(), &reply)),
        }
    }
}

pub(super) fn gone(container: &Container) -> Error {
    Error::Gone {
        name: container.name.clone(),
        id: container.short_id().to_owned(),
    }
}

/// Asks, with errors that name the engine.
pub(super) fn ask(
    label: &Label,
    socket: &std::path::Path,
    request: &Request<'_>,
    limit: Duration,
) -> Result<Reply> {
    http::ask(socket, request, limit).map_err(|failed| match failed {
        Failed::Connect(source) => Error::Down {
            engine: label.to_string(),
            source,
        },
        Failed::Slow => Error::Slow {
            engine: label.to_string(),
            request: request.to_string(),
            seconds: limit.as_secs(),
        },
        Failed::Garbage(why) => Error::Answer {
            engine: label.to_string(),
            request: request.to_string(),
            why,
        },
    })
}

/// Whether there is no such container. Podman 4.3 says so with 500 when it is removed while it is looked at.
fn is_missing(status: u16, body: &[u8]) -> bool {
    status == 404 || status == 500 && reason(body).to_lowercase().contains("no such container")
}

/// An engine's refusal in its own words: `cause` of Podman says more than its `message`.
fn reason(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let text = |key: &str| {
        let value = parsed.as_ref()?.get(key)?.as_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    match (text("message"), text("cause")) {
        (Some(message), Some(cause)) if !message.contains(&cause) => format!("{message}: {cause}"),
        (Some(message), _) => message,
        (None, Some(cause)) => cause,
        (None, None) => crate::program::last_lines(body, 1),
    }
}

/// The content of a stream of frames: one byte of which stream, three of nothing, four of length (Docker Engine API,
/// "Attach to a container"). What is not framed comes back as it is.
fn unframed(stream: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(stream.len());
    let mut rest = stream;
    while let Some((head, after)) = rest.split_at_checked(8) {
        let [kind, 0, 0, 0, length @ ..] = head else {
            return stream.to_vec();
        };
        let length = length
            .iter()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        if *kind > 3 {
            return stream.to_vec();
        }
        let taken = length.min(after.len());
        let (frame, next) = after.split_at(taken);
        content.extend_from_slice(frame);
        rest = next;
    }
    if content.is_empty() {
        stream.to_vec()
    } else {
        content
    }
}

/// A name in a path. Engines allow letters, digits, `_`, `.` and `-`; the rest is the user's mistake and must stay one.
pub(super) fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_off_and_plain_text_is_left() {
        let mut framed = b"\x01\0\0\0\0\0\0\x03out".to_vec();
        framed.extend(b"\x02\0\0\0\0\0\0\x04err\n");
        assert_eq!(unframed(&framed), b"outerr\n");
        assert_eq!(
            unframed(b"plain text of a terminal"),
            b"plain text of a terminal"
        );
        assert_eq!(unframed(b"short"), b"short");
        assert_eq!(unframed(b""), b"");
    }

    #[test]
    fn the_engines_words_are_found_in_both_shapes() {
        assert_eq!(
            reason(br#"{"message":"No such container: x"}"#),
            "No such container: x"
        );
        let podman = br#"{"cause":"container state improper","message":"can only kill running containers","response":500}"#;
        assert_eq!(
            reason(podman),
            "can only kill running containers: container state improper"
        );
        assert_eq!(reason(b"404 page not found\n"), "404 page not found");
    }

    #[test]
    fn a_container_that_is_removed_while_it_is_looked_at_is_missing() {
        let podman = br#"{"cause":"no such container","message":"container 392eaa515cf3 does not exist in database: no such container","response":500}"#;
        assert!(is_missing(500, podman) && is_missing(404, b""));
        assert!(!is_missing(
            500,
            br#"{"message":"container state improper"}"#
        ));
        assert!(!is_missing(409, podman));
    }

    #[test]
    fn a_name_cannot_become_another_path() {
        assert_eq!(encoded("b1_x.y-z"), "b1_x.y-z");
        assert_eq!(encoded("../images"), "..%2Fimages");
        assert_eq!(encoded("a?force=1"), "a%3Fforce%3D1");
    }
}
