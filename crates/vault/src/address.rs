// SPDX-License-Identifier: Apache-2.0
//! Where servers are.

use std::net::IpAddr;

use crate::{Error, Result};

/// Whether an address may be asked: a URL with a host and at most a path before `/v1`, in clear only on this host or if
/// that is allowed.
///
/// # Errors
/// [`Error::Setting`], [`Error::Plaintext`].
pub fn check_address(url: &str, allow_plaintext: bool) -> Result<()> {
    let rule =
        "give a URL that begins with https://, without user, password, query, fragment and /v1";
    let wrong = || Error::Setting {
        what: "address",
        reason: format!("{}: {rule}", web::shown(url)),
    };
    let origin = web::origin(url).ok_or_else(wrong)?;
    let is_sound = !url.contains(['?', '#', '@']) && !url.trim_end_matches('/').ends_with("/v1");
    let is_plain = origin.starts_with("http://");
    if !is_sound || !(is_plain || origin.starts_with("https://")) {
        return Err(wrong());
    }
    match is_plain && !allow_plaintext && !is_loopback(&origin) {
        true => Err(Error::Plaintext {
            url: web::shown(url),
        }),
        false => Ok(()),
    }
}

fn is_loopback(origin: &str) -> bool {
    let host = origin.trim_start_matches("http://");
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_in_clear_only_where_that_is_said() {
        for (url, allowed, kind) in [
            ("https://vault.example:8200", false, ""),
            ("https://vault.example/prefix/", false, ""),
            ("http://127.0.0.1:8200", false, ""),
            ("http://[::1]:8200/", false, ""),
            ("http://localhost:8200", false, ""),
            ("http://127.0.0.1.example:8200", false, "vault.plaintext"),
            ("http://10.0.0.1:8200", false, "vault.plaintext"),
            ("http://10.0.0.1:8200", true, ""),
            ("https://user:word@vault.example", true, "vault.setting"),
            ("https://vault.example/v1/", true, "vault.setting"),
            ("https://vault.example/?a", true, "vault.setting"),
            ("ftp://vault.example", true, "vault.setting"),
            ("vault.example:8200", true, "vault.setting"),
            ("", true, "vault.setting"),
        ] {
            let found = check_address(url, allowed).err();
            assert_eq!(found.map_or("", |error| error.kind()), kind, "{url}");
        }
    }
}
