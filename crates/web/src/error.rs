// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between us and a server, told by what failed.

use std::error::Error as StdError;
use std::time::Duration;

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate, by what the operator must look at. URLs are shown without secrets.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with something that is not HTTP, or broke off; look at the server and what is before it.
    #[error("the answer of {url} broke off: {reason}")]
    Broken {
        /// What was asked.
        url: String,
        /// What was wrong with it.
        reason: String,
    },
    /// Nobody listens there, or the way is blocked or ends before TLS is there; look at address, port, firewall, load balancer.
    #[error("cannot connect to {url}: {reason}")]
    Connect {
        /// What was asked.
        url: String,
        /// The operating system's words.
        reason: String,
    },
    /// The body is not what its user expects; look whether the URL is the right one.
    #[error("the answer of {url} is not {expected}: {reason}")]
    Content {
        /// What was asked.
        url: String,
        /// What was expected: "JSON".
        expected: &'static str,
        /// What came instead.
        reason: String,
    },
    /// No address for the name; look at the name, `/etc/hosts` and the name servers.
    #[error("cannot resolve '{host}': {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What its lookup said.
        reason: String,
    },
    /// A setting cannot be used; correct it.
    #[error("the {what} cannot be used: {reason}")]
    Setting {
        /// Which one: "CA file".
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The server did not answer in time.
    #[error("{url} did not answer within {} s", limit.as_secs_f32())]
    TimedOut {
        /// What was asked.
        url: String,
        /// How long it had.
        limit: Duration,
    },
    /// TLS failed for another reason than trust: versions, alerts, a server that speaks no TLS.
    #[error("the TLS handshake with {url} failed: {reason}")]
    Tls {
        /// What was asked.
        url: String,
        /// OpenSSL's words.
        reason: String,
    },
    /// The body is larger than is taken.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// The server's certificate is not trusted; give its authority, or look who answers there.
    #[error("the certificate of {url} is not trusted: {reason}")]
    Untrusted {
        /// What was asked.
        url: String,
        /// Why: "unable to get local issuer certificate", "hostname mismatch", "certificate has expired".
        reason: String,
    },
    /// What should be asked is no URL that may be asked.
    #[error("{url} cannot be asked: {reason}")]
    Url {
        /// What was given, as far as it may be shown.
        url: String,
        /// The rule that it breaks.
        reason: String,
    },
}

impl Error {
    /// A stable name for playbooks, such as `web.untrusted`. It changes only with a changelog fragment.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "web.broken",
            Self::Connect { .. } => "web.connect",
            Self::Content { .. } => "web.content",
            Self::Resolve { .. } => "web.resolve",
            Self::Setting { .. } => "web.setting",
            Self::TimedOut { .. } => "web.timed_out",
            Self::Tls { .. } => "web.tls",
            Self::TooLarge { .. } => "web.too_large",
            Self::Untrusted { .. } => "web.untrusted",
            Self::Url { .. } => "web.url",
        }
    }

    /// Whether the request certainly never reached the server, so that even one with a side effect may be repeated.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Resolve { .. }
            | Self::Setting { .. }
            | Self::Tls { .. }
            | Self::Untrusted { .. }
            | Self::Url { .. } => true,
            Self::Broken { .. }
            | Self::Content { .. }
            | Self::TimedOut { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// What reqwest could not send, or whose answer it could not take.
    pub(crate) fn of(error: &reqwest::Error, url: &reqwest::Url, limit: Duration) -> Self {
        let (url, reason) = (shown(url), deepest(error));
        if let Some(reason) = tls_reason(error) {
            // Later it would have been sent, and must not be called unsent.
            if error.is_connect() && is_cut_off(error, &reason) {
                let reason = format!("it was cut off in the TLS handshake: {reason}");
                return Self::Connect { url, reason };
            }
            return match reason.contains("certificate verify failed") {
                true => Self::Untrusted {
                    url,
                    reason: verify_result(&reason).to_owned(),
                },
                false => Self::Tls { url, reason },
            };
        }
        // Also when that took too long: nothing was asked yet, which makes a difference to who may repeat it.
        if error.is_timeout() && !error.is_connect() {
            Self::TimedOut { url, limit }
        } else if error.is_connect() {
            Self::Connect { url, reason }
        } else {
            Self::Broken { url, reason }
        }
    }
}

/// A URL without user, password, query and fragment.
pub(crate) fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // A URL without a host refuses both, and then has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// What the TLS layer said, if it was that.
fn tls_reason(error: &reqwest::Error) -> Option<String> {
    causes(error)
        .find(|cause| cause.is::<native_tls::Error>())
        .map(ToString::to_string)
}

/// Whether the connection ended in the middle of the handshake, which is nobody's word about TLS: a load balancer that has
/// no server at the moment takes connections and closes them.
fn is_cut_off(error: &reqwest::Error, reason: &str) -> bool {
    let mut below = causes(error).skip_while(|cause| !cause.is::<native_tls::Error>());
    below.any(|cause| cause.is::<std::io::Error>())
        || reason.to_ascii_lowercase().contains("unexpected eof")
}

/// native-tls writes what OpenSSL says of the certificate in parentheses at the end.
fn verify_result(reason: &str) -> &str {
    reason
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(reason)
}

/// The last cause: those above it only say in whose hands it went wrong.
fn deepest(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(
        // Without a cause reqwest's own word, which would show the URL.
        || "the request could not be sent".to_owned(),
        ToString::to_string,
    )
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn StdError + 'static)| {
        (*cause).source()
    })
}
