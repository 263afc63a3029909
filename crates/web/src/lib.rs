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
        Ok(url) => error::shown(&url),
        // What cannot be parsed may hold a password anywhere.
        Err(_) => "(not a URL)".to_owned(),
    }
}
