// SPDX-License-Identifier: Apache-2.0
//! What a connection is told once.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// A text that no message shows and that is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself; keep it out of messages.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Shows nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(elided)")
    }
}

/// A secret, or the file that holds it, which is read when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Given.
    Given(Secret),
    /// In a file; the line end that editors put behind it does not count.
    File(PathBuf),
}

/// How a `SecretID` of AppRole is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretId {
    /// The role wants none (`bind_secret_id=false`).
    None,
    /// Itself, or a file with it.
    Plain(Held),
    /// A wrapping token with it, to be unwrapped once. Who unwraps first has it, so a second time is an alarm.
    Wrapped {
        /// The wrapping token, or a file with it.
        token: Held,
        /// The role that it must have been made for; without one any role of the mount is good.
        role: Option<String>,
    },
}

/// Who we are. `mount` is where the way to log in is mounted, without `auth/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A role and its secret.
    AppRole {
        /// Usually `approle`.
        mount: String,
        /// The role's identifier.
        role_id: Held,
        /// Its secret.
        secret_id: SecretId,
    },
    /// The client certificate of the connection.
    Certificate {
        /// Usually `cert`.
        mount: String,
        /// The name of the entry; without one the server looks which fits.
        role: Option<String>,
    },
    /// A token of somebody whom the server trusts.
    Jwt {
        /// Usually `jwt`.
        mount: String,
        /// The role; without one the server's default.
        role: Option<String>,
        /// The token.
        jwt: Held,
    },
    /// The token of a service account of Kubernetes.
    Kubernetes {
        /// Usually `kubernetes`.
        mount: String,
        /// The role.
        role: String,
        /// The token; usually in `/var/run/secrets/kubernetes.io/serviceaccount/token`.
        jwt: Held,
    },
    /// Nobody: only what needs no token can be asked.
    None,
    /// A token, which is not ours to revoke.
    Token(Held),
    /// Name and password.
    Userpass {
        /// Usually `userpass`.
        mount: String,
        /// The name.
        username: String,
        /// The password.
        password: Held,
    },
}

/// What a connection is told once.
///
/// # Defaults
/// No address, no namespace, the system's authorities, 30 s for one answer, 45 s for what will pass (a cluster that elects
/// a leader), no wait for somebody who unseals, reads at the active node, no plain HTTP but to this machine, revoking of
/// tokens that it got, nobody.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the nodes are, or what stands before them: `https://vault.example:8200`. The first that answers is asked.
    pub addresses: Vec<String>,
    /// The namespace of everything that has one.
    pub namespace: Option<String>,
    /// Whose certificates count.
    pub trust: web::Trust,
    /// The client's certificate.
    pub identity: Option<web::Identity>,
    /// The name that servers' certificates must have, where it is not that of the address.
    pub server_name: Option<String>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// For how long what will pass is waited for, from its first sign. After a call that waited in vain the next ones do not
    /// wait, until one succeeds.
    pub retry_window: Duration,
    /// For how long somebody is waited for who unseals.
    pub wait_unsealed: Duration,
    /// Whether reads go where writes went, so that they see them.
    pub pin_active: bool,
    /// Whether hosts other than this one may be asked without TLS.
    pub allow_plaintext: bool,
    /// Whether tokens that were got by logging in are given back at the end.
    pub revoke_after: bool,
    /// Who we are.
    pub auth: Auth,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            namespace: None,
            trust: web::Trust::default(),
            identity: None,
            server_name: None,
            timeout: Duration::from_secs(30),
            retry_window: Duration::from_secs(45),
            wait_unsealed: Duration::ZERO,
            pin_active: true,
            allow_plaintext: false,
            revoke_after: true,
            auth: Auth::None,
        }
    }
}
