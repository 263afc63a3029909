// SPDX-License-Identifier: Apache-2.0
//! What a client is told once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::resolver::{HostResolver, Resolver};

/// Whose certificates count.
#[derive(Clone, Default)]
pub enum Trust {
    /// The system's store.
    #[default]
    System,
    /// The system's store, and the authorities in this PEM text.
    Also(Vec<u8>),
    /// The authorities in this PEM text alone.
    Only(Vec<u8>),
    /// Anybody's: nothing is verified, so whoever is on the way reads and changes everything. Only for who says so.
    Anybody,
}

/// Shows no certificates.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Also(pem) => write!(f, "Also({} bytes)", pem.len()),
            Self::Only(pem) => write!(f, "Only({} bytes)", pem.len()),
            Self::Anybody => f.write_str("Anybody"),
        }
    }
}

/// A client certificate.
#[derive(Clone)]
pub struct Identity {
    /// The certificate and what is between it and the root, in PEM.
    pub chain: Vec<u8>,
    /// Its private key, PKCS#8 in PEM, not encrypted.
    pub private_key: Vec<u8>,
}

/// Shows nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chain,
            private_key: _,
        } = self;
        write!(f, "Identity({} bytes, key elided)", chain.len())
    }
}

/// What a client is told once.
///
/// # Defaults
/// 10 s to connect, 30 s for a whole answer, 1 MiB of body, the system's authorities, no client certificate, no proxy,
/// the resolver of the host's files and name servers, `https` only.
#[derive(Clone)]
pub struct Settings {
    /// The `User-Agent`.
    pub user_agent: String,
    /// How long name lookup, and TCP and TLS together, may take, each.
    pub connect_timeout: Duration,
    /// How long a request may take, from its first byte to the last of its answer.
    pub timeout: Duration,
    /// The largest body that is taken, in bytes.
    pub body_limit: usize,
    /// Whose certificates count.
    pub trust: Trust,
    /// The client's certificate.
    pub identity: Option<Identity>,
    /// A proxy for everything: `http://[user:password@]host:port`.
    pub proxy: Option<String>,
    /// Who looks names up.
    pub resolver: Arc<dyn Resolver>,
    /// Whether `http` URLs may be asked too.
    pub allow_http: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            user_agent: concat!("tls.everywhere/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            body_limit: 1 << 20,
            trust: Trust::default(),
            identity: None,
            proxy: None,
            resolver: Arc::new(HostResolver::default()),
            allow_http: false,
        }
    }
}

/// Shows no secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeout", &self.timeout)
            .field("body_limit", &self.body_limit)
            .field("trust", &self.trust)
            .field("identity", &self.identity)
            .field("proxy", &self.proxy.as_deref().map(crate::shown))
            .finish_non_exhaustive()
    }
}
