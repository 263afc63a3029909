// SPDX-License-Identifier: Apache-2.0
//! What the ways that speak to a web service share.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use web::{Client, Settings, Trust};

use super::place::Place;
use super::secret::read_text;
use crate::failure::CertificateError;

/// Whether a service may be asked without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// Its operator may have it so on a network of their own.
    Allowed,
    /// Only on this host, where a proxy or a test is.
    Loopback,
}

/// Where a service is, and how it is asked.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) url: String,
    ca_file: Option<PathBuf>,
    pub(super) timeout: Duration,
}

/// The options of it, as they were given.
pub(super) struct Asked<'a> {
    pub(super) url: &'a str,
    pub(super) ca_file: Option<&'a str>,
    pub(super) timeout: &'a str,
}

impl Service {
    pub(super) fn understood(at: &mut Place<'_>, given: Asked<'_>, plain: Plain) -> Option<Self> {
        let is_good = check_url(at, "url", given.url, plain);
        let ca_file = given.ca_file.map(|path| at.absolute("ca_file", path));
        let timeout = at.span("timeout", given.timeout);
        is_good.then_some(Self {
            url: given.url.to_owned(),
            ca_file: ca_file.flatten(),
            timeout,
        })
    }

    pub(super) fn client(&self) -> Result<Arc<Client>, CertificateError> {
        client(&self.url, self.ca_file.as_deref(), self.timeout)
    }
}

/// Whether a URL may be asked; if not, that is a fault.
pub(super) fn check_url(at: &mut Place<'_>, option: &str, url: &str, plain: Plain) -> bool {
    let origin = web::origin(url);
    let is_sound = origin.is_some() && !url.contains(['?', '#', '@']);
    if !is_sound || !(url.starts_with("https://") || url.starts_with("http://")) {
        at.fault(
            option,
            "give a URL that begins with https://, without user, password, query and fragment",
        );
        return false;
    }
    let is_plain = url.starts_with("http://");
    if is_plain && plain == Plain::Loopback && !is_loopback(&origin.unwrap_or_default()) {
        at.fault(
            option,
            "give an https URL; the credentials would be sent in clear",
        );
        return false;
    }
    true
}

fn is_loopback(origin: &str) -> bool {
    let host = origin.trim_start_matches("http://");
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// For a service at this URL; only one that begins in clear may go on so.
pub(super) fn client(
    url: &str,
    ca_file: Option<&Path>,
    timeout: Duration,
) -> Result<Arc<Client>, CertificateError> {
    let trust = match ca_file {
        Some(path) => {
            let text = read_text("the authorities of the provider's service", path)?;
            Trust::Also(text.as_bytes().to_vec())
        }
        None => Trust::System,
    };
    let settings = Settings {
        timeout,
        trust,
        allow_http: url.starts_with("http://"),
        ..Settings::default()
    };
    Ok(Arc::new(Client::new(&settings).map_err(dns::Error::from)?))
}

#[cfg(test)]
mod tests {
    use ansible_module::Faults;

    use super::*;

    #[test]
    fn credentials_go_in_clear_only_where_that_is_said() {
        for (url, plain, is_good) in [
            ("https://api.example", Plain::Loopback, true),
            ("http://127.0.0.1:8081/", Plain::Loopback, true),
            ("http://[::1]:8081", Plain::Loopback, true),
            ("http://localhost", Plain::Loopback, true),
            ("http://127.0.0.1.example", Plain::Loopback, false),
            ("http://10.0.0.1:8081", Plain::Loopback, false),
            ("http://10.0.0.1:8081", Plain::Allowed, true),
            ("https://user:word@api.example", Plain::Allowed, false),
            ("https://api.example/?a", Plain::Allowed, false),
            ("ftp://api.example", Plain::Allowed, false),
            ("api.example", Plain::Allowed, false),
        ] {
            let mut faults = Faults::new();
            let mut place = Place::new(String::from("p"), &mut faults);
            assert_eq!(check_url(&mut place, "url", url, plain), is_good, "{url}");
            assert_eq!(faults.is_empty(), is_good, "{url}");
        }
    }
}
