// SPDX-License-Identifier: Apache-2.0
//! HAProxy's runtime API: a certificate is exchanged in the memory of the process that serves it. No process starts or
//! ends, and connections stay.
//!
//! HAProxy knows each certificate by the path in its configuration. The file there has changed already, so it and the
//! memory agree, and a later reload brings the same certificate. What is sent is what is in that file, with its key,
//! over the socket only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::inside::Root;
use containers::processes::Process;
use containers::sockets::Listening;
use pki::{Certificate, PrivateKey};
use zeroize::Zeroizing;

use super::{Trouble, said, short};
use crate::request::Fingerprint;

/// A question is answered within milliseconds.
const QUESTION: Duration = Duration::from_secs(1);
/// A commit walks through all lines of all lists that use the certificate.
const COMMIT: Duration = Duration::from_secs(20);
/// Stats sockets of one container that are asked at most.
const SOCKETS: usize = 8;

/// A socket over which certificates can be exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The socket, as the container names it.
    pub socket: PathBuf,
    /// Processes that have it open.
    pub pids: Vec<u32>,
    /// The certificates, as HAProxy names them: paths of its configuration.
    pub files: Vec<PathBuf>,
}

/// The sockets that speak for all of `targets`, or why there are none.
pub fn runtimes(
    root: &Root,
    members: &[Process],
    sockets: &[Listening],
    targets: &[u32],
) -> Result<Vec<Runtime>, String> {
    let mut found: Vec<Runtime> = Vec::new();
    let mut why = String::from("HAProxy has no runtime API at a Unix socket");
    for (socket, pids) in by_path(sockets).into_iter().take(SOCKETS) {
        if pids
            .iter()
            .all(|pid| found.iter().any(|each| each.pids.contains(pid)))
        {
            continue;
        }
        match Runtime::ask(root, members, socket, pids) {
            Ok(runtime) => found.push(runtime),
            Err(Trouble::Other(other)) => why = other,
            Err(Trouble::Mismatch(_)) => {}
        }
    }
    let is_reached = |pid: &u32| found.iter().any(|each| each.pids.contains(pid));
    if !found.is_empty() && targets.iter().all(is_reached) {
        Ok(found)
    } else {
        Err(why)
    }
}

fn by_path(sockets: &[Listening]) -> Vec<(PathBuf, Vec<u32>)> {
    let mut found: Vec<(PathBuf, Vec<u32>)> = Vec::new();
    for each in sockets {
        let path = bound(&each.path);
        match found.iter_mut().find(|(known, _)| *known == path) {
            Some((_, pids)) => pids.push(each.pid),
            None => found.push((path, vec![each.pid])),
        }
    }
    found
}

/// HAProxy binds a name of its own and renames it: the kernel keeps `/run/haproxy.sock.17.tmp`.
fn bound(path: &Path) -> PathBuf {
    let text = path.as_os_str().to_str().unwrap_or_default();
    let before = text.strip_suffix(".tmp").and_then(|text| {
        let (before, number) = text.rsplit_once('.')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(before)
    });
    before.map_or_else(|| path.to_owned(), PathBuf::from)
}

impl Runtime {
    /// Asks a socket whether it may exchange certificates, and which there are.
    fn ask(
        root: &Root,
        members: &[Process],
        socket: PathBuf,
        pids: Vec<u32>,
    ) -> Result<Self, Trouble> {
        let mut runtime = Self {
            socket,
            pids,
            files: Vec::new(),
        };
        let level = runtime.say(root, members, b"show cli level\n", QUESTION)?;
        if level.trim_ascii() != b"admin" {
            return Err(Trouble::Other(format!(
                "HAProxy's socket '{}' does not have the level admin: {}",
                runtime.socket.display(),
                short(&level)
            )));
        }
        let list = runtime.say(root, members, b"show ssl cert\n", QUESTION)?;
        runtime.files = listed(&String::from_utf8_lossy(&list))?;
        Ok(runtime)
    }

    /// The files that hold the certificate that shall be served, and what HAProxy is to be given for each.
    pub fn payloads(
        &self,
        root: &Root,
        wanted: &Fingerprint,
    ) -> Result<Vec<(PathBuf, Zeroizing<String>)>, Trouble> {
        let mut found = Vec::new();
        for file in self.files.iter().filter(|file| is_plain(file)) {
            if let Some(text) = payload(root, file, wanted)? {
                found.push((file.clone(), text));
            }
        }
        if found.is_empty() {
            return Err(Trouble::Other(String::from(
                "none of the files that HAProxy names holds the new certificate",
            )));
        }
        Ok(found)
    }

    /// Exchanges one certificate; what was begun and fails is taken back.
    pub fn exchange(
        &self,
        root: &Root,
        members: &[Process],
        file: &Path,
        payload: &str,
    ) -> Result<(), Trouble> {
        let name = file.display();
        let set = Zeroizing::new(format!("set ssl cert {name} <<\n{payload}\n"));
        let began = self.say(root, members, set.as_bytes(), COMMIT);
        let heard = match began {
            Ok(heard)
                if contains(&heard, "ransaction ") && contains(&heard, " for certificate") =>
            {
                let commit = format!("commit ssl cert {name}\n");
                match self.say(root, members, commit.as_bytes(), COMMIT) {
                    Ok(heard) if contains(&heard, "Success!") => return Ok(()),
                    other => other,
                }
            }
            other => other,
        };
        let abort = format!("abort ssl cert {name}\n");
        // Nothing may have been begun: then this says so, and there is nothing to take back.
        let _ = self.say(root, members, abort.as_bytes(), QUESTION);
        let heard = heard?;
        Err(Trouble::Other(format!(
            "HAProxy's runtime API did not take '{name}': {}",
            without(&heard, payload)
        )))
    }

    fn say(
        &self,
        root: &Root,
        members: &[Process],
        words: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Trouble> {
        let talk = root.dialogue(&self.socket, members, limit);
        let heard = talk.and_then(|mut talk| {
            talk.send(words)?;
            talk.rest()
        });
        heard.map_err(|error| said(&error))
    }
}

fn contains(heard: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(heard).contains(words)
}

/// What was heard, unless it repeats what was sent: whoever listens there may be no HAProxy, and a key is in it.
fn without(heard: &[u8], payload: &str) -> String {
    let text = String::from_utf8_lossy(heard);
    let secret = |line: &str| payload.lines().any(|sent| line.contains(sent));
    if text.lines().any(secret) {
        String::from("(its answer repeats what was sent)")
    } else {
        short(heard)
    }
}

/// Names with blanks would be two words to HAProxy.
fn is_plain(file: &Path) -> bool {
    let text = file.as_os_str().to_str().unwrap_or_default();
    let is_odd =
        |letter: char| letter.is_whitespace() || letter.is_control() || ";\\\"'".contains(letter);
    text.starts_with('/') && !text.contains(is_odd)
}

/// The names of `show ssl cert`.
fn listed(text: &str) -> Result<Vec<PathBuf>, Trouble> {
    if !text.contains("# filename") {
        return Err(Trouble::Other(format!(
            "HAProxy's runtime API lists no certificates: {}",
            short(text.as_bytes())
        )));
    }
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        match line.chars().next() {
            Some('*') => {
                return Err(Trouble::Other(format!(
                    "somebody else is exchanging '{}' over HAProxy's runtime API",
                    line.trim_start_matches('*')
                )));
            }
            None | Some('#') => {}
            Some(_) => names.push(PathBuf::from(line)),
        }
    }
    Ok(names)
}

/// What HAProxy is to be given for one of its files: `None` if that holds another certificate.
fn payload(
    root: &Root,
    file: &Path,
    wanted: &Fingerprint,
) -> Result<Option<Zeroizing<String>>, Trouble> {
    let Some(content) = root.read(file).map_err(|error| said(&error))? else {
        return Ok(None);
    };
    let Ok(certificate) = crate::observe::leaf(&content.content) else {
        return Ok(None);
    };
    if certificate.fingerprint_sha256_text() != wanted.0 {
        return Ok(None);
    }
    let mut text = blocks(file, &content.content)?;
    if !text.contains("PRIVATE KEY-----") {
        let key = key_beside(root, file)?;
        text.push_str(&key);
    }
    belong_together(file, &certificate, &text)?;
    Ok(Some(text))
}

fn belong_together(file: &Path, certificate: &Certificate, text: &str) -> Result<(), Trouble> {
    match PrivateKey::from_pem(text.as_bytes(), None) {
        Ok(key) if key.matches(certificate.public_key()) => Ok(()),
        Ok(_) => Err(Trouble::Mismatch(file.to_owned())),
        Err(error) => Err(Trouble::Other(format!(
            "the key of '{}' cannot be used: {}",
            file.display(),
            ansible_module::flatten(&error)
        ))),
    }
}

/// HAProxy looks for the key of a file without one in `FILE.key` and, with `ssl-load-extra-del-ext`, in its stem's.
fn key_beside(root: &Root, file: &Path) -> Result<Zeroizing<String>, Trouble> {
    let mut longer = file.as_os_str().to_owned();
    longer.push(".key");
    for path in [PathBuf::from(longer), file.with_extension("key")] {
        if let Some(found) = root.read(&path).map_err(|error| said(&error))? {
            return blocks(&path, &found.content);
        }
    }
    Err(Trouble::Other(format!(
        "where HAProxy reads the key of '{}' is not known",
        file.display()
    )))
}

/// The blocks of a file and nothing between them: an empty line would end what HAProxy reads.
fn blocks(file: &Path, content: &[u8]) -> Result<Zeroizing<String>, Trouble> {
    let unusable = |why: String| {
        Trouble::Other(format!(
            "'{}' cannot be given to HAProxy: {why}",
            file.display()
        ))
    };
    let found = pki::pem::decode(content, "certificate")
        .map_err(|error| unusable(ansible_module::flatten(&error)))?;
    let mut text = Zeroizing::new(String::with_capacity(content.len().saturating_mul(2)));
    for block in &found {
        if !block.headers.is_empty() {
            return Err(unusable(String::from("its key is encrypted")));
        }
        let one = Zeroizing::new(pki::pem::encode(&block.label, &block.der));
        text.push_str(one.trim());
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
