// SPDX-License-Identifier: Apache-2.0
//! One connection: a request line is read, everything behind it is ignored, one answer is given.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::Shown;

/// The longest request with its headers.
const MOST_BYTES: usize = 8 << 10;
/// How long it may take to come.
const TIME: Duration = Duration::from_secs(10);

pub(super) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    since: Instant,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Option<Self> {
        stream.set_nonblocking(true).ok()?;
        Some(Self {
            stream,
            read: Vec::new(),
            since: Instant::now(),
        })
    }

    /// Reads what has come, and answers when that is a whole request. False: it is done with.
    pub(super) fn goes_on(&mut self, shown: &Shown) -> bool {
        let mut piece = [0; 2 << 10];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return false,
                Ok(size) => self
                    .read
                    .extend_from_slice(piece.get(..size).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.since.elapsed() < TIME;
                }
                Err(_) => return false,
            }
            if is_whole(&self.read) {
                return self.answer(&answer(&self.read, shown));
            }
            if self.read.len() > MOST_BYTES {
                return self.answer(&plain("431 Request Header Fields Too Large", "", "", true));
            }
        }
    }

    /// A few hundred bytes: they go into the buffer of a new connection as a whole.
    fn answer(&mut self, text: &str) -> bool {
        if self.stream.write_all(text.as_bytes()).is_ok() {
            // It may be gone already.
            drop(self.stream.shutdown(Shutdown::Write));
        }
        false
    }
}

fn is_whole(read: &[u8]) -> bool {
    let ends = |mark: &[u8]| read.windows(mark.len()).any(|part| part == mark);
    ends(b"\r\n\r\n") || ends(b"\n\n")
}

/// Proofs at their paths, a sign of life for health checks at `/` and at nothing else.
pub(super) fn answer(read: &[u8], shown: &Shown) -> String {
    let Some((method, path)) = request_line(read) else {
        return plain("400 Bad Request", "", "", true);
    };
    let has_body = method != "HEAD";
    let content = match (method, path) {
        ("GET" | "HEAD", "/") | ("OPTIONS", "/" | "*") => Some(String::from("ok\n")),
        ("GET" | "HEAD", path) => shown.content(path),
        _ => {
            let allow = "Allow: GET, HEAD\r\n";
            return plain("405 Method Not Allowed", allow, "", true);
        }
    };
    match content {
        Some(content) => plain("200 OK", "", &content, has_body),
        None => plain("404 Not Found", "", "", has_body),
    }
}

/// Method and path of the first line; of a whole URL, as proxies send it, its path.
fn request_line(read: &[u8]) -> Option<(&str, &str)> {
    let line = read.split(|byte| *byte == b'\n').next()?;
    let mut words = str::from_utf8(line).ok()?.trim_end().split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest
            .find('/')
            .map_or("/", |at| rest.get(at..).unwrap_or("/")),
        None => target,
    };
    Some((method, path))
}

fn plain(status: &str, headers: &str, content: &str, has_body: bool) -> String {
    let body = if has_body { content } else { "" };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n{headers}Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        content.len()
    )
}
