// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! HTTPS client for JSON APIs: every time and size is bounded, every failure says what failed.
//!
//! The only importer of reqwest, of which nothing is in the public interface. One [`Client`] may be shared by threads.
//! What a caller must know:
//!
//! - no redirect is followed: the answer names its `Location`, and the caller decides whether that host may be asked;
//! - no proxy comes from the environment: [`Settings::proxy`] is all there is;
//! - names are looked up by a [`Resolver`], not by the C library, whose static form would load the host's modules;
//! - nothing is sent twice: whether a request may be repeated only its caller knows. [`Response::retry_after`]
//!   says when a server wants to be asked again;
//! - messages show URLs without user, password, query and fragment, and no header or body.
//!
//! The stores of the system's authorities are those that OpenSSL's users look for (`/etc/ssl/certs` and the like);
//! reqwest's TLS layer honours `SSL_CERT_FILE` and `SSL_CERT_DIR` there, as curl and git do.

mod body;
mod client;
mod error;
mod http_date;
mod request;
mod resolver;
mod response;
mod settings;

pub use client::Client;
pub use error::{Error, Result};
pub use http_date::parse_http_date;
pub use request::{Method, Request};
pub use resolver::{HostResolver, Resolver};
pub use response::Response;
pub use settings::{Identity, Settings, Trust};

/// A URL as messages may show it: without user, password, query and fragment.
pub fn shown(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) if url.has_host() => error::shown(&url),
        // It may hold a password anywhere.
        _ => "(not a URL)".to_owned(),
    }
}

/// Scheme, host and port of a URL that may be asked; two URLs with the same belong to one server.
pub fn origin(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    Some(format!("{}://{host}:{port}", url.scheme()))
}

/// The URL that `reference` means in an answer of `base`; it may be relative.
pub fn join(base: &str, reference: &str) -> Option<String> {
    let joined = reqwest::Url::parse(base).ok()?.join(reference).ok()?;
    Some(joined.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        let url = "https://user:pass@ca.example/dir?token=1#x";
        assert_eq!(shown(url), "https://ca.example/dir");
        assert_eq!(shown("user:pass@ca.example"), "(not a URL)");
        assert_eq!(shown("pass word"), "(not a URL)");
    }

    #[test]
    fn an_origin_has_its_port() {
        let origin_of = |url| origin(url).unwrap_or_default();
        assert_eq!(
            origin_of("https://CA.example/a?b"),
            "https://ca.example:443"
        );
        assert_eq!(
            origin_of("https://ca.example:443/"),
            origin_of("https://ca.example")
        );
        assert_ne!(
            origin_of("https://ca.example.evil/"),
            origin_of("https://ca.example/")
        );
        assert_eq!(origin("mailto:a@b"), None);
    }
}
