// SPDX-License-Identifier: Apache-2.0
//! As much of HTTP/1.1 (RFC 9112) as an engine's socket needs: one request a connection, an answer with a length,
//! in chunks or up to the end, and a deadline over all of it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// An engine's answer is some kilobytes; a list of a thousand containers some megabytes.
const BODY_LIMIT: usize = 64 << 20;
const HEAD_LIMIT: usize = 64 << 10;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a Value>,
    /// Sent after the answer has begun: the standard input of a program that the engine executes.
    pub(crate) input: Option<&'a [u8]>,
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.path)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nobody listens, or we may not talk to them.
    Connect(io::Error),
    /// The deadline passed.
    Slow,
    /// What came is not HTTP, is cut, or is too large.
    Garbage(String),
}

/// Asks once and waits for the whole answer, at most until `limit` has passed.
pub(crate) fn ask(socket: &Path, request: &Request<'_>, limit: Duration) -> Result<Reply, Failed> {
    let deadline = Deadline(crate::deadline::deadline(limit));
    let stream = open(socket, &deadline)?;
    let mut wire = Wire {
        stream,
        deadline,
        buffer: Vec::new(),
    };
    wire.send(&head(request)).or_else(unless_closed)?;
    let (status, headers) = wire.head()?;
    if let Some(input) = request.input {
        // A program may end without reading its input: then the answer says more than this error.
        wire.send(input).or_else(unless_closed)?;
        let _ = wire.stream.shutdown(std::net::Shutdown::Write);
    }
    let body = wire.body(request.method, status, &headers)?;
    Ok(Reply {
        status,
        headers,
        body,
    })
}

fn head(request: &Request<'_>) -> Vec<u8> {
    let body = request.body.map(Value::to_string).unwrap_or_default();
    let mut text = format!(
        "{} {} HTTP/1.1\r\nHost: engine\r\nUser-Agent: tls.everywhere\r\n",
        request.method, request.path
    );
    if request.input.is_some() {
        // The way to keep the connection's other half open for the input (moby, `postContainerExecStart`).
        text.push_str("Connection: Upgrade\r\nUpgrade: tcp\r\n");
    } else {
        text.push_str("Connection: close\r\n");
    }
    if request.body.is_some() {
        text.push_str("Content-Type: application/json\r\n");
    }
    if request.method == "POST" {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(&body);
    text.into_bytes()
}

/// The peer may answer and close before it has read all that we send.
fn unless_closed(failed: Failed) -> Result<(), Failed> {
    match failed {
        Failed::Garbage(_) => Ok(()),
        other => Err(other),
    }
}

fn open(path: &Path, deadline: &Deadline) -> Result<UnixStream, Failed> {
    crate::sockets::connect(path, deadline.0).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => Failed::Slow,
        _ => Failed::Connect(error),
    })
}

struct Deadline(Instant);

impl Deadline {
    fn left(&self) -> Result<Duration, Failed> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(Failed::Slow)
        } else {
            Ok(left)
        }
    }
}

struct Wire {
    stream: UnixStream,
    deadline: Deadline,
    /// Received and not yet used.
    buffer: Vec<u8>,
}

fn garbage(why: impl Into<String>) -> Failed {
    Failed::Garbage(why.into())
}

impl Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let left = self.deadline.left()?;
        let sent = self
            .stream
            .set_write_timeout(Some(left))
            .and_then(|()| self.stream.write_all(bytes));
        match sent {
            Ok(()) => Ok(()),
            Err(error) if is_late(&error) => Err(Failed::Slow),
            Err(error) => Err(garbage(error.to_string())),
        }
    }

    /// Receives more; false at the end.
    fn receive(&mut self) -> Result<bool, Failed> {
        let mut part = [0; 16 << 10];
        loop {
            let left = self.deadline.left()?;
            let read = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(&mut part));
            match read {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.buffer
                        .extend_from_slice(part.get(..count).unwrap_or_default());
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_late(&error) => return Err(Failed::Slow),
                Err(error) => return Err(garbage(format!("the connection broke: {error}"))),
            }
        }
    }

    /// The bytes before `mark`, which is dropped.
    fn until(&mut self, mark: &[u8], what: &str) -> Result<Vec<u8>, Failed> {
        loop {
            let found = self
                .buffer
                .windows(mark.len())
                .position(|window| window == mark);
            if let Some(at) = found {
                let rest = self.buffer.split_off(at + mark.len());
                let mut before = std::mem::replace(&mut self.buffer, rest);
                before.truncate(at);
                return Ok(before);
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(garbage(format!("{what} does not end")));
            }
            if !self.receive()? {
                return Err(garbage(self.cut(what)));
            }
        }
    }

    fn cut(&self, what: &str) -> String {
        if self.buffer.is_empty() {
            return format!("the connection was closed before {what}");
        }
        let text =
            String::from_utf8_lossy(self.buffer.get(..40).unwrap_or(&self.buffer)).into_owned();
        format!("{what} is cut after '{}'", text.escape_debug())
    }

    fn head(&mut self) -> Result<(u16, Vec<(String, String)>), Failed> {
        loop {
            let bytes = self.until(b"\r\n\r\n", "the head of the answer")?;
            let text = String::from_utf8_lossy(&bytes);
            let mut lines = text.split("\r\n");
            let first = lines.next().unwrap_or_default();
            let status = status(first)?;
            // An interim answer; 101 is the last one of an exchange.
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let headers = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            return Ok((status, headers.collect()));
        }
    }

    fn body(
        &mut self,
        method: &str,
        status: u16,
        headers: &[(String, String)],
    ) -> Result<Vec<u8>, Failed> {
        if method == "HEAD" || status == 204 || status == 304 {
            return Ok(Vec::new());
        }
        let header = |name: &str| {
            let found = headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            return self.chunks();
        }
        match header("content-length") {
            Some(text) => {
                let length = text
                    .parse()
                    .map_err(|_| garbage(format!("its length is '{text}'")))?;
                self.exactly(length)
            }
            None => self.rest_of_it(),
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Failed> {
        if length > BODY_LIMIT {
            return Err(garbage(format!("it has {length} bytes")));
        }
        while self.buffer.len() < length {
            if !self.receive()? {
                return Err(garbage(self.cut("the answer")));
            }
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn rest_of_it(&mut self) -> Result<Vec<u8>, Failed> {
        while self.receive()? {
            if self.buffer.len() > BODY_LIMIT {
                return Err(garbage("it does not end"));
            }
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n", "the size of a chunk")?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let size = text.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| {
                garbage(format!("the size of a chunk is '{}'", text.escape_debug()))
            })?;
            if size == 0 {
                return Ok(body);
            }
            if body.len().saturating_add(size) > BODY_LIMIT {
                return Err(garbage("it does not end"));
            }
            body.extend(self.exactly(size)?);
            self.until(b"\r\n", "a chunk")?;
        }
    }
}

fn status(line: &str) -> Result<u16, Failed> {
    let mut words = line.split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status = words.next().and_then(|word| word.parse().ok());
    match status {
        Some(status) if is_http => Ok(status),
        _ => {
            let start: String = line.chars().take(40).collect();
            Err(garbage(format!("'{}' is no HTTP", start.escape_debug())))
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const PING: Request<'static> = Request {
        method: "GET",
        path: "/_ping",
        body: None,
        input: None,
    };

    /// Asks an engine that answers `parts`, one write each, and closes.
    fn answered(parts: &'static [&'static str], limit: Duration) -> Result<Reply, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            for part in parts {
                if *part == "<wait>" {
                    std::thread::sleep(Duration::from_millis(600));
                } else {
                    let _ = stream.write_all(part.as_bytes());
                }
            }
        });
        let reply = ask(&path, &PING, limit).map_err(|failed| match failed {
            Failed::Connect(error) => error.to_string(),
            Failed::Slow => String::from("slow"),
            Failed::Garbage(why) => why,
        });
        server.join().unwrap();
        reply
    }

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn bodies_of_a_length_in_chunks_and_rest_of_it_are_read() {
        for parts in [
            &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "llo"][..],
            &[
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r",
                "\n3;x=y\r\nllo\r\n0\r\n\r\n",
            ],
            &["HTTP/1.0 200 OK\r\n\r\n", "hello"],
            &["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello"],
        ] {
            let reply = answered(parts, SOON).unwrap();
            assert_eq!(
                (reply.status, reply.body.as_slice()),
                (200, &b"hello"[..]),
                "{parts:?}"
            );
        }
    }

    #[test]
    fn what_is_no_answer_is_said() {
        for (parts, why) in [
            (
                &["SSH-2.0-OpenSSH_9.2\r\n\r\n"][..],
                "'SSH-2.0-OpenSSH_9.2' is no HTTP",
            ),
            (
                &[],
                "the connection was closed before the head of the answer",
            ),
            (
                &["HTTP/1.1 200 OK\r\n"],
                "the head of the answer is cut after 'HTTP/1.1 200 OK\\r\\n'",
            ),
            (
                &["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
                "its length is 'x'",
            ),
            (
                &["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"],
                "the answer is cut after 'hell'",
            ),
            (
                &["HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
                "it has 99999999999 bytes",
            ),
            (
                &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
                "the size of a chunk is 'zz'",
            ),
        ] {
            assert_eq!(
                answered(parts, SOON).map(|reply| reply.body),
                Err(why.to_owned())
            );
        }
    }

    #[test]
    fn a_trickle_does_not_move_the_deadline() {
        let parts = &[
            "HTTP/1.1 200",
            "<wait>",
            " OK\r\n",
            "<wait>",
            "Content-Length: 5\r\n\r\n",
            "<wait>",
            "hello",
        ];
        let began = Instant::now();
        let reply = answered(parts, Duration::from_millis(900));
        assert_eq!(reply.map(|reply| reply.status), Err(String::from("slow")));
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_socket_that_accepts_nobody_is_slow_and_one_that_is_not_there_is_down() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.sock");
        let gone = ask(&path, &PING, SOON);
        assert!(matches!(gone, Err(Failed::Connect(error)) if error.kind() == ErrorKind::NotFound));
        let listener = UnixListener::bind(&path).unwrap();
        let slow = ask(&path, &PING, Duration::from_millis(300));
        assert!(matches!(slow, Err(Failed::Slow)));
        drop(listener);
        let refused = ask(&path, &PING, SOON);
        assert!(
            matches!(refused, Err(Failed::Connect(error)) if error.kind() == ErrorKind::ConnectionRefused)
        );
    }
}
