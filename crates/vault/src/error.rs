// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with a server, told by what the reader must do.

use std::path::PathBuf;
use std::time::Duration;

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate. No message shows a secret or the page of a proxy.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something answers that is no Vault, or breaks its API; look who does.
    #[error("{url} does not answer as Vault does: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What it did.
        reason: String,
    },
    /// A file with a secret cannot be used; look at it.
    #[error("the {what} in '{}' cannot be used: {reason}", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The reference names no issuer of the mount; look at its list.
    #[error("{url}: {reason}")]
    IssuerUnknown {
        /// What was asked.
        url: String,
        /// The server's words.
        reason: String,
    },
    /// Whoever logs in is not known, or has the wrong secret; look at the server's role and at the secret.
    #[error("{url} refuses the login by {method}: {reason}")]
    LoginRefused {
        /// What was asked.
        url: String,
        /// The way.
        method: &'static str,
        /// The server's words.
        reason: String,
    },
    /// Nobody knows whether this was done, and it must not be done twice; look before it is tried again.
    #[error(
        "the answer of {url} was lost ({reason}), so it may have been done; look before it is done again"
    )]
    LostAnswer {
        /// What was asked.
        url: String,
        /// How it was lost.
        reason: String,
    },
    /// The namespace does not exist; correct its name.
    #[error("{url}: there is no namespace '{namespace}'")]
    NamespaceUnknown {
        /// What was asked.
        url: String,
        /// The namespace.
        namespace: String,
    },
    /// The mount has no default issuer: no authority yet, or the default was deleted. Make one, or set it.
    #[error("{url}: {reason}; make an authority, or set the default issuer of the mount")]
    NoDefaultIssuer {
        /// What was asked.
        url: String,
        /// The server's words.
        reason: String,
    },
    /// The cluster did not get a leader in time; look at its nodes.
    #[error(
        "no node of {tried} leads the cluster, after {} s: {last}", waited.as_secs()
    )]
    NoLeader {
        /// The nodes.
        tried: String,
        /// How long it was waited for.
        waited: Duration,
        /// What was said last.
        last: String,
    },
    /// Nothing is mounted there; mount it, or correct the path.
    #[error("{url}: nothing is mounted at '{path}'")]
    NoMount {
        /// What was asked.
        url: String,
        /// The path.
        path: String,
    },
    /// The server was never initialized; do that.
    #[error("{url} is not initialized; initialize and unseal it")]
    NotInitialized {
        /// The server.
        url: String,
    },
    /// A path that cannot be one of the API; correct it.
    #[error("'{path}' is not a path of the API: {reason}")]
    Path {
        /// What was given.
        path: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// The token is good, but no policy allows this; give it one.
    #[error(
        "{url}: permission denied: the token is valid, but no policy of its ({policies}) allows this"
    )]
    PermissionDenied {
        /// What was asked.
        url: String,
        /// The token's policies, as far as it may see them.
        policies: String,
    },
    /// A secret would cross the network in clear; give an https address.
    #[error("{url} is not asked: plain http to another host would show the token to the network")]
    Plaintext {
        /// The address.
        url: String,
    },
    /// The server's limit of requests stayed exceeded; raise it, or ask less at once.
    #[error(
        "{url}: the quota of requests is exceeded, still after {} s: {reason}", waited.as_secs()
    )]
    Quota {
        /// What was asked.
        url: String,
        /// How long it was tried.
        waited: Duration,
        /// The server's words.
        reason: String,
    },
    /// The server sends us to a host that is not ours to ask; add it to the addresses if it should be.
    #[error(
        "{url} redirects to {location}, which is none of the addresses; add it to them if it is a node"
    )]
    RedirectRefused {
        /// What was asked.
        url: String,
        /// Where it sends us, without path.
        location: String,
    },
    /// The server refuses this, now and later; its words say why.
    #[error("{url}: {reason} (status {status})")]
    Refused {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The first line of its errors.
        reason: String,
    },
    /// The server is sealed, or its namespace is; somebody must unseal it.
    #[error("{url} is sealed; unseal it ({reason})")]
    Sealed {
        /// The server.
        url: String,
        /// The server's words, and what the other nodes said.
        reason: String,
    },
    /// A setting cannot be used; correct it.
    #[error("the {what} cannot be used: {reason}")]
    Setting {
        /// Which one.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The server does not know the token: it is wrong, revoked, or its time is over. Get another.
    #[error("{url}: the token is not valid: it is expired, revoked or none of this server's{hint}")]
    TokenInvalid {
        /// What was asked.
        url: String,
        /// What else may be the reason.
        hint: String,
    },
    /// No server could be asked; look at the addresses, the network and the servers.
    #[error("no server can be asked ({tried}), after {} s: {last}", waited.as_secs())]
    Unreachable {
        /// The addresses.
        tried: String,
        /// How long it was tried.
        waited: Duration,
        /// How each of them failed.
        last: String,
    },
    /// The server ignored a part of what it was told; it is another version, or the name is wrong. It was done without it.
    #[error("{url} has done it without a part of what it was told: {warning}")]
    UnrecognizedParameters {
        /// What was asked.
        url: String,
        /// The server's words.
        warning: String,
    },
    /// The wrapped secret was unwrapped before: whoever did has it. Revoke it and find out who.
    #[error(
        "{url}: the wrapped secret_id was unwrapped before or its time is over; if it was not this host, \
         somebody else has the secret: revoke it"
    )]
    WrappedSecretUsed {
        /// What was asked.
        url: String,
    },
    /// The wrapped secret was made by something else than the role; somebody may have put another in its place.
    #[error(
        "{url}: the wrapped secret_id was made by '{creation_path}', not by {expected}; it is not unwrapped"
    )]
    WrappedSecretForeign {
        /// What was asked.
        url: String,
        /// Where it came from.
        creation_path: String,
        /// Where it should have come from.
        expected: String,
    },
}

impl Error {
    /// A stable name for playbooks, such as `vault.sealed`. It changes only with a changelog fragment.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "vault.answer",
            Self::File { .. } => "vault.file",
            Self::IssuerUnknown { .. } => "vault.issuer_unknown",
            Self::LoginRefused { .. } => "vault.login_refused",
            Self::LostAnswer { .. } => "vault.lost_answer",
            Self::NamespaceUnknown { .. } => "vault.namespace_unknown",
            Self::NoDefaultIssuer { .. } => "vault.no_default_issuer",
            Self::NoLeader { .. } => "vault.no_leader",
            Self::NoMount { .. } => "vault.no_mount",
            Self::NotInitialized { .. } => "vault.not_initialized",
            Self::Path { .. } => "vault.path",
            Self::PermissionDenied { .. } => "vault.permission_denied",
            Self::Plaintext { .. } => "vault.plaintext",
            Self::Quota { .. } => "vault.quota",
            Self::RedirectRefused { .. } => "vault.redirect_refused",
            Self::Refused { .. } => "vault.refused",
            Self::Sealed { .. } => "vault.sealed",
            Self::Setting { .. } => "vault.setting",
            Self::TokenInvalid { .. } => "vault.token_invalid",
            Self::Unreachable { .. } => "vault.unreachable",
            Self::UnrecognizedParameters { .. } => "vault.unrecognized_parameters",
            Self::WrappedSecretForeign { .. } => "vault.wrapped_secret_foreign",
            Self::WrappedSecretUsed { .. } => "vault.wrapped_secret_used",
        }
    }

    /// Whether a server that needs a person, or cannot be asked at all, is the reason: what is in service already is no
    /// worse for it.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::NoLeader { .. }
                | Self::NotInitialized { .. }
                | Self::Quota { .. }
                | Self::Sealed { .. }
                | Self::Unreachable { .. }
        )
    }
}
