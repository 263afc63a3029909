// SPDX-License-Identifier: Apache-2.0
//! The servers of a connection.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use web::{HostResolver, Resolver};

use crate::{Error, Result, Settings, check_address};

/// Somewhere else somebody may answer, so nobody is waited for longer than this at the begin of a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// A list of all certificates of a mount is long.
const BODY_LIMIT: usize = 64 << 20;

/// One address of the settings, with connections of its own.
pub(crate) struct Node {
    /// As it was given, without a slash at its end.
    pub(crate) address: String,
    /// What is asked: the same, but for the name that the certificate must have.
    pub(crate) base: String,
    origin: String,
    /// Made when it is needed first: most of a list are never asked.
    client: OnceLock<web::Client>,
    client_settings: web::Settings,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl Node {
    pub(crate) fn all(settings: &Settings) -> Result<Vec<Self>> {
        if settings.addresses.is_empty() {
            return Err(Error::Setting {
                what: "address",
                reason: "there is none".to_owned(),
            });
        }
        let addresses = settings.addresses.iter();
        let nodes: Result<Vec<Self>> = addresses.map(|url| Self::new(url, settings)).collect();
        let nodes = nodes?;
        // What is wrong with authorities and certificates is the same for all.
        if let Some(first) = nodes.first() {
            first.client()?;
        }
        Ok(nodes)
    }

    fn new(address: &str, settings: &Settings) -> Result<Self> {
        check_address(address, settings.allow_plaintext)?;
        let address = address.trim_end_matches('/');
        let unusable = |reason: String| Error::Setting {
            what: "address",
            reason,
        };
        let origin = web::origin(address).ok_or_else(|| unusable(web::shown(address)))?;
        let mut client = web::Settings {
            trust: settings.trust.clone(),
            identity: settings.identity.clone(),
            timeout: settings.timeout,
            connect_timeout: settings.timeout.min(CONNECT_LIMIT),
            body_limit: BODY_LIMIT,
            allow_http: origin.starts_with("http://"),
            ..web::Settings::default()
        };
        let base = match &settings.server_name {
            Some(name) => {
                client.resolver = Arc::new(Elsewhere::of(&origin));
                renamed(address, &origin, name)
            }
            None => address.to_owned(),
        };
        Ok(Self {
            address: address.to_owned(),
            base,
            origin,
            client: OnceLock::new(),
            client_settings: client,
        })
    }

    /// Its connections.
    pub(crate) fn client(&self) -> Result<&web::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = web::Client::new(&self.client_settings).map_err(|error| Error::Setting {
            what: "connection",
            reason: error.to_string(),
        })?;
        // Of two threads that made one, the first has put its own there.
        Ok(self.client.get_or_init(|| made))
    }

    /// Whether a URL belongs to this server.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        web::origin(url).is_some_and(|origin| origin == self.origin)
    }
}

/// The address with another host in it: TLS checks the name that stands there.
fn renamed(address: &str, origin: &str, name: &str) -> String {
    let port = origin.rsplit_once(':').map_or("", |(_, port)| port);
    let scheme = origin.split("://").next().unwrap_or("https");
    let after = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = after.split_once('/').map_or("", |(_, path)| path);
    let base = format!("{scheme}://{name}:{port}/{path}");
    base.trim_end_matches('/').to_owned()
}

/// Whatever is looked up, it is this host.
struct Elsewhere {
    host: String,
    resolver: HostResolver,
}

impl Elsewhere {
    fn of(origin: &str) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self {
            host: host.to_owned(),
            resolver: HostResolver::default(),
        }
    }
}

impl Resolver for Elsewhere {
    fn addresses(&self, _: &str, deadline: Instant) -> Result<Vec<IpAddr>, String> {
        self.resolver.addresses(&self.host, deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_an_address_is_renamed() {
        for (address, base) in [
            ("https://10.0.0.1:8200", "https://vault.example:8200"),
            ("https://10.0.0.1", "https://vault.example:443"),
            ("https://[::1]:8200/a/b", "https://vault.example:8200/a/b"),
        ] {
            let origin = web::origin(address).unwrap_or_default();
            assert_eq!(renamed(address, &origin, "vault.example"), base);
        }
        let found = Elsewhere::of("https://[::1]:8200").addresses("vault.example", Instant::now());
        assert_eq!(found, Ok(vec![IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)]));
    }
}
