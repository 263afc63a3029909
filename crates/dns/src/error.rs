// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, said so that an operator knows what to do next.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::message::{Malformed, Rcode};
use crate::{Laggard, Name};

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A service refuses a request.
    #[error("{service} refuses '{asked}' with status {status}: {said}")]
    Api {
        /// Which service.
        service: &'static str,
        /// Method and URL.
        asked: String,
        /// The status of HTTP.
        status: u16,
        /// What it said.
        said: String,
    },
    /// The configuration of a way to publish does not fit.
    #[error("{what}: {why}")]
    Configuration {
        /// Which setting.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Files could not be read or written.
    #[error(transparent)]
    Files(#[from] tls_files::Error),
    /// What a server sent is no message.
    #[error("what '{server}' sent is no DNS message")]
    Malformed {
        /// Who.
        server: SocketAddr,
        /// What is wrong.
        #[source]
        source: Malformed,
    },
    /// The text is not a domain name.
    #[error("'{name}' is not a domain name: {why}")]
    Name {
        /// What was given.
        name: String,
        /// The rule that it breaks.
        why: String,
    },
    /// A server cannot be reached or does not answer in time.
    #[error("no answer from '{server}' to {asked}")]
    NoAnswer {
        /// Who.
        server: SocketAddr,
        /// What: `'h1.example TXT'`.
        asked: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No server is named.
    #[error("'{text}' names no DNS server: {why}")]
    NoServer {
        /// What was given.
        text: String,
        /// What is missing.
        why: &'static str,
    },
    /// Not all servers show the records in time.
    #[error("after {} s not all authoritative servers show the records: {}", within.as_secs(), Laggard::list(laggards))]
    NotVisible {
        /// How long we waited.
        within: Duration,
        /// Who is behind, and with what.
        laggards: Vec<Laggard>,
    },
    /// A program did not do what it was asked.
    #[error("'{command}' {how}")]
    Program {
        /// Its argument list.
        command: String,
        /// How it ended, and what it complained of.
        how: String,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] io::Error),
    /// A server does not answer the question.
    #[error("'{server}' answers {asked} with {rcode}")]
    Refused {
        /// Who.
        server: SocketAddr,
        /// What was asked.
        asked: String,
        /// Its code.
        rcode: Rcode,
    },
    /// A CNAME leads to a name that no zone holds.
    #[error("'{challenge}' leads to '{target}', which nobody can fill: {why}")]
    TargetDangling {
        /// The name that the CA asks.
        challenge: Name,
        /// Where the CNAMEs end.
        target: Name,
        /// What is missing.
        why: String,
    },
    /// The CNAMEs are too many.
    #[error(
        "'{challenge}' leads over {} CNAMEs and further; resolvers follow at most {}", chain.len(), chain.len() - 1
    )]
    TargetFar {
        /// The name that the CA asks.
        challenge: Name,
        /// The names so far.
        chain: Vec<Name>,
    },
    /// The CNAMEs lead in a circle.
    #[error("the CNAMEs of '{challenge}' are a loop: {}", names(chain))]
    TargetLoop {
        /// The name that the CA asks.
        challenge: Name,
        /// The names up to the first that comes again.
        chain: Vec<Name>,
    },
    /// There should be a CNAME and is none.
    #[error("'{challenge}' has no CNAME into '{zone}'")]
    TargetMissing {
        /// The name that the CA asks.
        challenge: Name,
        /// The zone that records may be written to.
        zone: Name,
    },
    /// A CNAME leads elsewhere than it may.
    #[error(
        "'{challenge}' leads to '{target}' in zone '{found}', but records may only be written to '{zone}'"
    )]
    TargetOutside {
        /// The name that the CA asks.
        challenge: Name,
        /// Where the CNAMEs end.
        target: Name,
        /// The zone that holds it.
        found: Name,
        /// The zone that records may be written to.
        zone: Name,
    },
    /// More does not fit a message.
    #[error("a message of {size} bytes is larger than any can be (65535)")]
    TooLarge {
        /// How many bytes.
        size: usize,
    },
    /// The server and we do not agree about the signature.
    #[error("'{server}' does not accept our signature with key '{key}': {fault}")]
    Tsig {
        /// Who.
        server: SocketAddr,
        /// Which key.
        key: Name,
        /// Why.
        fault: TsigFault,
    },
    /// The answer is not signed as it must be.
    #[error("the answer of '{server}' to our update is not to be trusted: {why}")]
    TsigAnswer {
        /// Who.
        server: SocketAddr,
        /// What is wrong with it.
        why: String,
    },
    /// The shared key is not usable.
    #[error("the TSIG key '{key}' cannot be used: {why}")]
    TsigKey {
        /// Its name.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// There is no such host.
    #[error("host '{host}' has no address")]
    UnknownHost {
        /// What was asked.
        host: String,
    },
    /// The server does not carry out the update.
    #[error("'{server}' does not update zone '{zone}': {rcode}{}", if *signed { "" } else { " (an answer without a signature)" })]
    Update {
        /// Who.
        server: SocketAddr,
        /// Which zone.
        zone: Name,
        /// Its code.
        rcode: Rcode,
        /// Whether the answer was signed, or did not have to be.
        signed: bool,
    },
    /// A service cannot be reached, or does not answer as it should.
    #[error(transparent)]
    Web(#[from] web::Error),
    /// It is not known which zone holds a name, or who serves it.
    #[error("cannot tell which servers are authoritative for '{name}': {why}")]
    Zone {
        /// The name or the zone.
        name: Name,
        /// What is missing.
        why: String,
    },
    /// A zone file is not as it must be.
    #[error("zone file '{}': {why}", path.display())]
    ZoneFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a signature was not accepted (RFC 8945 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TsigFault {
    /// BADSIG: the code does not fit: another secret.
    Signature,
    /// BADKEY: no such key there, or with another algorithm.
    Key,
    /// BADTIME: the clocks are apart.
    Time {
        /// The time of the server, in seconds since 1970, if it told it.
        server: Option<u64>,
        /// Ours.
        ours: u64,
    },
    /// BADTRUNC: it wants more of the code than it got.
    Truncated,
}

impl fmt::Display for TsigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Signature => f.write_str("BADSIG, the secret is another one"),
            Self::Key => f.write_str("BADKEY, it has no key of this name with this algorithm"),
            Self::Time {
                server: Some(server),
                ours,
            } => {
                let (apart, order) = match server.checked_sub(ours) {
                    Some(ahead) => (ahead, "ahead of"),
                    None => (ours - server, "behind"),
                };
                write!(f, "BADTIME, its clock is {apart} s {order} ours")
            }
            Self::Time { server: None, .. } => {
                f.write_str("BADTIME, the clocks are more than 300 s apart")
            }
            Self::Truncated => f.write_str("BADTRUNC, it wants a longer code"),
        }
    }
}

/// Names on their way: `'a' -> 'b'`.
fn names(chain: &[Name]) -> String {
    let quoted: Vec<String> = chain.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(" -> ")
}

impl Error {
    /// A stable word for playbooks.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Api { status, .. } => match status {
                401 | 403 => "dns.api_denied",
                404 => "dns.api_not_found",
                429 => "dns.api_busy",
                _ => "dns.api_refused",
            },
            Self::Configuration { .. } => "dns.configuration",
            Self::Files(error) => error.kind(),
            Self::Malformed { .. } => "dns.malformed",
            Self::Name { .. } => "dns.name",
            Self::NoAnswer { .. } => "dns.no_answer",
            Self::NoServer { .. } => "dns.no_server",
            Self::NotVisible { .. } => "dns.not_visible",
            Self::Program { .. } => "dns.program",
            Self::Random(_) => "dns.random",
            Self::Refused { .. } => "dns.refused",
            Self::TargetDangling { .. } => "dns.target_dangling",
            Self::TargetFar { .. } => "dns.target_too_far",
            Self::TargetLoop { .. } => "dns.target_loop",
            Self::TargetMissing { .. } => "dns.target_missing",
            Self::TargetOutside { .. } => "dns.target_outside",
            Self::TooLarge { .. } => "dns.too_large",
            Self::Tsig { fault, .. } => match fault {
                TsigFault::Signature => "dns.tsig_bad_signature",
                TsigFault::Key => "dns.tsig_bad_key",
                TsigFault::Time { .. } => "dns.tsig_bad_time",
                TsigFault::Truncated => "dns.tsig_truncated",
            },
            Self::TsigAnswer { .. } => "dns.tsig_answer",
            Self::TsigKey { .. } => "dns.tsig_key",
            Self::UnknownHost { .. } => "dns.unknown_host",
            Self::Update { rcode, .. } => match *rcode {
                Rcode::NOTAUTH => "dns.update_not_authoritative",
                Rcode::REFUSED => "dns.update_refused",
                _ => "dns.update_failed",
            },
            Self::Web(error) => error.kind(),
            Self::Zone { .. } => "dns.zone_unknown",
            Self::ZoneFile { .. } => "dns.zone_file",
        }
    }

    /// What to do, where the message does not say it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Api { status, .. } => match status {
                401 | 403 => "see whether the key is right, and may change this zone from here".into(),
                404 => "see whether the zone is there, and the URL is that of the API".into(),
                _ => return None,
            },
            Self::TargetMissing { challenge, zone } => {
                let label = challenge.to_string().replace('.', "-");
                format!(
                    "create the record: {} CNAME {}.{}",
                    challenge.absolute(),
                    label.trim_start_matches("_acme-challenge-"),
                    zone.absolute()
                )
            }
            Self::TargetOutside { challenge, zone, .. } => format!(
                "let the CNAME of '{challenge}' lead into '{zone}', or name the other zone as 'zone'"
            ),
            Self::TargetDangling { challenge, .. } => format!(
                "correct or remove the CNAME of '{challenge}', or name a zone of your own that the target is in as 'zone'"
            ),
            Self::Tsig { fault, key, .. } => match fault {
                TsigFault::Time { .. } => "set both clocks, best by NTP".into(),
                TsigFault::Key => format!(
                    "compare name and algorithm with 'key \"{key}\"' in the server's configuration"
                ),
                TsigFault::Signature => {
                    "compare the secret with that in the server's configuration".into()
                }
                TsigFault::Truncated => return None,
            },
            Self::Update { rcode, zone, .. } => match *rcode {
                Rcode::REFUSED => format!(
                    "allow the key to write: for BIND 'update-policy {{ grant KEY zonesub TXT; }};' in zone '{zone}'"
                ),
                Rcode::NOTAUTH => format!("send updates to the primary server of '{zone}'"),
                Rcode::SERVFAIL => {
                    "see the server's log; for BIND the directory of the zone file must be writable for its journal, and a name holds at most 100 records of a type (max-records-per-type)"
                        .into()
                }
                _ => return None,
            },
            Self::NotVisible { .. } => {
                "see whether the primary notifies these servers (also-notify) and whether they may transfer the zone"
                    .into()
            }
            _ => return None,
        })
    }
}
