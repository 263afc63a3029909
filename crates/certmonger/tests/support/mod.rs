// SPDX-License-Identifier: Apache-2.0
//! Messages as a daemon would send them, in either byte order, and a peer that says what a test tells it to.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

use certmonger::{Daemon, Error, Place, Start};

/// Writes D-Bus in the byte order of its choice.
pub(crate) struct Encoder {
    pub(crate) bytes: Vec<u8>,
    pub(crate) little_endian: bool,
}

impl Encoder {
    pub(crate) fn new(little_endian: bool) -> Self {
        Self {
            bytes: Vec::new(),
            little_endian,
        }
    }

    pub(crate) fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub(crate) fn word(&mut self, value: u32) {
        self.pad(4);
        self.bytes.extend(if self.little_endian {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        });
    }

    pub(crate) fn wide(&mut self, value: i64) {
        self.pad(8);
        self.bytes.extend(if self.little_endian {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        });
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.word(text.len() as u32);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    pub(crate) fn signature(&mut self, text: &str) {
        self.bytes.push(text.len() as u8);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    pub(crate) fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.word(0);
        let at = self.bytes.len() - 4;
        self.pad(alignment);
        let begin = self.bytes.len();
        elements(self);
        let length = (self.bytes.len() - begin) as u32;
        let length = if self.little_endian {
            length.to_le_bytes()
        } else {
            length.to_be_bytes()
        };
        self.bytes[at..at + 4].copy_from_slice(&length);
    }
}

/// A message of the given kind (2 answer, 3 error, 4 signal) to the call `reply_to`.
pub(crate) fn message(
    little_endian: bool,
    kind: u8,
    reply_to: u32,
    signature: &str,
    body: impl FnOnce(&mut Encoder),
) -> Vec<u8> {
    let mut content = Encoder::new(little_endian);
    body(&mut content);
    let mut whole = Encoder::new(little_endian);
    whole.bytes = vec![if little_endian { b'l' } else { b'B' }, kind, 0, 1];
    whole.word(content.bytes.len() as u32);
    whole.word(7);
    whole.array(8, |fields| {
        let mut text = |code: u8, kind: &str, text: &str| {
            fields.pad(8);
            fields.bytes.push(code);
            fields.signature(kind);
            fields.text(text);
        };
        if kind == 3 {
            text(4, "s", "org.freedesktop.DBus.Error.AccessDenied");
        }
        if kind == 4 {
            text(1, "o", "/org/fedorahosted/certmonger/requests/Request1");
            text(2, "s", "org.freedesktop.DBus.Properties");
            text(3, "s", "PropertiesChanged");
        }
        if reply_to != 0 {
            fields.pad(8);
            fields.bytes.push(5);
            fields.signature("u");
            fields.word(reply_to);
        }
        if !signature.is_empty() {
            fields.pad(8);
            fields.bytes.push(8);
            fields.signature("g");
            fields.signature(signature);
        }
    });
    whole.pad(8);
    whole.bytes.extend(content.bytes);
    whole.bytes
}

/// What certmonger answers to `GetAll`, shortened: one of each type.
pub(crate) fn properties(little_endian: bool, reply_to: u32) -> Vec<u8> {
    message(little_endian, 2, reply_to, "a{sv}", |body| {
        body.array(8, |entries| {
            let mut entry = |name: &str, kind: &str, value: &dyn Fn(&mut Encoder)| {
                entries.pad(8);
                entries.text(name);
                entries.signature(kind);
                value(entries);
            };
            entry("nickname", "s", &|value| value.text("web"));
            entry("status", "s", &|value| value.text("MONITORING"));
            entry("cert-file", "s", &|value| value.text("/etc/web.crt"));
            entry("cert-storage", "s", &|value| value.text("FILE"));
            entry("autorenew", "b", &|value| value.word(1));
            entry("cert-perms", "x", &|value| value.wide(0o640));
            entry("ca", "o", &|value| {
                value.text("/org/fedorahosted/certmonger/requests/CA4");
            });
            entry("template-hostname", "as", &|value| {
                value.array(4, |names| {
                    names.text("a.example.org");
                    names.text("b.example.org");
                });
            });
            entry("template-email", "as", &|value| {
                value.array(4, |names| names.text(""));
            });
        });
    })
}

/// A peer that authenticates us and then does what it is told; the directory lives as long as it.
pub(crate) struct Peer {
    pub(crate) place: Place,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Peer {
    /// `script` gets the stream after the authentication.
    pub(crate) fn new(script: impl FnOnce(&mut UnixStream) + Send + 'static) -> Self {
        Self::bare(|stream| {
            read_until(stream, b"DATA\r\n");
            stream.write_all(b"DATA\r\nOK 1234\r\n").unwrap();
            read_until(stream, b"BEGIN\r\n");
            script(stream);
        })
    }

    /// `script` gets the stream as it is accepted.
    pub(crate) fn bare(script: impl FnOnce(&mut UnixStream) + Send + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // A test that fails must not hang.
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            script(&mut stream);
        });
        let address = format!("unix:path={}", path.display());
        Self {
            place: Place::Private(address.parse().unwrap()),
            thread: Some(thread),
            _directory: directory,
        }
    }

    pub(crate) fn connect(&self, within: Duration) -> Result<Daemon, Error> {
        Daemon::connect(&self.place, Start::Never, within)
    }

    pub(crate) fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

pub(crate) fn read_until(stream: &mut UnixStream, end: &[u8]) {
    let mut found = Vec::new();
    let mut byte = [0];
    while !found.ends_with(end) {
        stream.read_exact(&mut byte).unwrap();
        found.push(byte[0]);
    }
}

/// Reads one message of ours and gives its serial.
pub(crate) fn read_call(stream: &mut UnixStream) -> u32 {
    let mut prelude = [0; 16];
    stream.read_exact(&mut prelude).unwrap();
    let length = certmonger::wire::message_length(&prelude).unwrap();
    let mut rest = vec![0; length - prelude.len()];
    stream.read_exact(&mut rest).unwrap();
    u32::from_le_bytes(prelude[8..12].try_into().unwrap())
}
