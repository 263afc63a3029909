// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between us and a server, or between us and /proc.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate. Variants are named by what the reader must look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server ended the connection before it sent a certificate: its log says why.
    #[error("{address} closed the connection {stage}; look into the server's log")]
    Closed {
        /// The server.
        address: SocketAddr,
        /// What was under way.
        stage: Stage,
    },
    /// Nobody accepts connections there, or the network does not reach it.
    #[error("cannot connect to {address}")]
    Connect {
        /// The server.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// OpenSSL could not prepare a handshake; nothing was sent.
    #[error("OpenSSL could not {operation}")]
    Crypto {
        /// What was tried, as an infinitive.
        operation: &'static str,
        /// OpenSSL's own words.
        #[source]
        source: openssl::error::ErrorStack,
    },
    /// Reading or writing failed in the middle.
    #[error("the connection to {address} broke {stage}")]
    Io {
        /// The server.
        address: SocketAddr,
        /// What was under way.
        stage: Stage,
        /// Why.
        source: io::Error,
    },
    /// The name cannot be sent as a server name.
    #[error("'{value}' cannot be a server name: {reason}")]
    Name {
        /// What was given.
        value: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// A network namespace could not be entered: it takes root.
    #[error("cannot {operation} the network namespace of process {pid}; run as root")]
    Namespace {
        /// "open" or "enter".
        operation: &'static str,
        /// The process that lives in it.
        pid: i32,
        /// Why not.
        source: io::Error,
    },
    /// The handshake came to its end and the server had sent no certificate.
    #[error("{address} speaks TLS but sends no certificate")]
    NoCertificate {
        /// The server.
        address: SocketAddr,
    },
    /// A program listens there for an address that this machine does not have at present (a virtual address that
    /// another host holds): connecting would reach that other host.
    #[error(
        "{address} is not an address of this machine now; a connection would reach another host, which proves nothing about this one"
    )]
    NotLocal {
        /// The address.
        address: SocketAddr,
    },
    /// What answers is no TLS server: another protocol, or one that wants STARTTLS first.
    #[error(
        "{address} does not speak TLS at once, it says '{received}'; if its protocol begins in plain text, name it as STARTTLS"
    )]
    NotTls {
        /// The server.
        address: SocketAddr,
        /// The first bytes, made printable.
        received: String,
    },
    /// A file of /proc could not be read: it takes root, or the process is gone.
    #[error("cannot read '{path}'")]
    Proc {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The process is gone.
    #[error("process {pid} is gone")]
    ProcessGone {
        /// The process.
        pid: i32,
    },
    /// The server speaks the protocol but does not go over to TLS: switch TLS on there.
    #[error("{address} does not start TLS ({protocol}): {why}")]
    StartTls {
        /// The server.
        address: SocketAddr,
        /// The protocol's name.
        protocol: &'static str,
        /// What it answered or what was missing.
        why: String,
    },
    /// The server did not get on within the time.
    #[error("{address} did not answer within {} ms {stage}", patience.as_millis())]
    TimedOut {
        /// The server.
        address: SocketAddr,
        /// What was under way.
        stage: Stage,
        /// The time that it had for everything.
        patience: Duration,
    },
    /// The server and we have no handshake in common, or it broke the protocol.
    #[error("the TLS handshake with {address} failed before a certificate came: {why}")]
    Tls {
        /// The server.
        address: SocketAddr,
        /// OpenSSL's words, or the server's alert.
        why: String,
    },
    /// The server sent more than any honest one does.
    #[error("{address} sent more than {limit} bytes {stage}")]
    TooMuch {
        /// The server.
        address: SocketAddr,
        /// What was under way.
        stage: Stage,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// A stable word for playbooks, one for each variant.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "probe.closed",
            Self::Connect { .. } => "probe.connect",
            Self::Crypto { .. } => "probe.crypto",
            Self::Io { .. } => "probe.io",
            Self::Name { .. } => "probe.name",
            Self::Namespace { .. } => "probe.namespace",
            Self::NoCertificate { .. } => "probe.no_certificate",
            Self::NotLocal { .. } => "probe.not_local",
            Self::NotTls { .. } => "probe.not_tls",
            Self::Proc { .. } => "probe.proc",
            Self::ProcessGone { .. } => "probe.process_gone",
            Self::StartTls { .. } => "probe.starttls",
            Self::TimedOut { .. } => "probe.timed_out",
            Self::Tls { .. } => "probe.tls",
            Self::TooMuch { .. } => "probe.too_much",
        }
    }

    /// A failed read below /proc.
    pub(crate) fn proc(path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Proc {
            path: path.into(),
            source: source.into(),
        }
    }
}

/// What was under way when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The connection was being made.
    Connect,
    /// The plain text before TLS.
    StartTls,
    /// The handshake, before the certificate.
    Handshake,
    /// After the handshake, when something was said.
    Answer,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::StartTls => "before TLS began",
            Self::Handshake => "before it sent a certificate",
            Self::Answer => "before it answered",
        })
    }
}
