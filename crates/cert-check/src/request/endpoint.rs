// SPDX-License-Identifier: Apache-2.0
//! Where to look.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ansible_module::{Faults, unrendered};
use pki::DnsName;
use tls_probe::{ServerName, StartTls};

use super::{Limits, path};
use crate::params::EndpointParams;

/// The port of a server of which nothing else is said.
const HTTPS: u16 = 443;

/// Where to look.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What the service is called: as was said, else the name that is asked for.
    pub service: String,
    /// Name or address.
    pub host: String,
    /// Connect there, whatever address the host has.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// The server name to send.
    pub server_name: Option<ServerName>,
    /// What comes before TLS.
    pub starttls: Option<StartTls>,
    /// Names that the certificate must be good for.
    pub names: Vec<Name>,
    /// The file that it must serve.
    pub certificate: Option<PathBuf>,
    /// When the end is near.
    pub limits: Limits,
    /// Others may have the same key.
    pub allow_shared: bool,
}

/// A name that a certificate must be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A name.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(out),
            Self::Ip(address) => address.fmt(out),
        }
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Ok(Self::Ip(address));
        }
        text.trim_end_matches('.')
            .parse()
            .map(Self::Dns)
            .map_err(|error: pki::Error| error.to_string())
    }
}

impl Endpoint {
    /// `host:port`, for people.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    pub(super) fn from_params(
        at: &str,
        given: EndpointParams,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let port = match u16::try_from(given.port) {
            Ok(port @ 1..) => Some(port),
            _ => {
                faults.push(format!("{at}.port"), "give 1 to 65535");
                None
            }
        };
        let host = host(&format!("{at}.host"), &given.host, faults);
        let address = address(at, given.address, faults);
        let sni = given.sni.as_deref();
        let server_name = match sni {
            None => host
                .as_deref()
                .and_then(|host| ServerName::parse(host).ok()),
            // Said to be none.
            Some("") => None,
            Some(name) => server_name(&format!("{at}.sni"), name, faults),
        };
        let known = given.names.is_some();
        let mut names = names(at, given.names.unwrap_or_default(), faults);
        let asked = server_name.as_ref().map(ServerName::as_str);
        let own = asked.or(host.as_deref()).map(Name::parse);
        if let (false, Some(Ok(name))) = (known, own) {
            names.push(name);
        }
        let file = given.certificate.as_deref();
        let certificate = file.map(|text| path(&format!("{at}.certificate"), text, faults));
        let limits = Limits::read(&format!("{at}."), given.warn, given.fail, limits, faults);
        let (host, port) = (host?, port?);
        let service = given.service.filter(|name| !name.is_empty());
        let service = service.or_else(|| server_name.as_ref().map(ToString::to_string));
        Some(Self {
            service: service.unwrap_or_else(|| host.clone()),
            host,
            address,
            port,
            server_name,
            starttls: starttls(&given.starttls, port),
            names,
            certificate,
            limits,
            allow_shared: given.allow_shared,
        })
    }

    /// `host`, `host:port` or `host port`: the last is what OpenDev's lists have.
    pub(super) fn from_text(
        at: &str,
        text: &str,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let Some((host, port)) = split(text) else {
            let why = unrendered(text)
                .unwrap_or_else(|| format!("'{text}' is none of: host, host:port, host port"));
            faults.push(at, why);
            return None;
        };
        let given = EndpointParams {
            service: None,
            host: host.to_owned(),
            address: None,
            port: port.into(),
            sni: None,
            starttls: "auto".to_owned(),
            names: None,
            certificate: None,
            warn: None,
            fail: None,
            allow_shared: false,
        };
        Self::from_params(at, given, limits, faults)
    }
}

fn split(text: &str) -> Option<(&str, u16)> {
    let text = text.trim();
    if let Some((host, port)) = text.split_once(char::is_whitespace) {
        return Some((host, port.trim().parse().ok()?));
    }
    // An IPv6 address has colons of its own.
    if text.is_empty() || text.parse::<IpAddr>().is_ok() {
        return (!text.is_empty()).then_some((text, HTTPS));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((text, HTTPS)),
    }
}

fn host(at: &str, text: &str, faults: &mut Faults) -> Option<String> {
    let bare = text.trim().trim_matches(['[', ']']).trim_end_matches('.');
    let is_name = bare.parse::<IpAddr>().is_ok() || ServerName::parse(bare).is_ok();
    if let Some(why) = unrendered(text) {
        faults.push(at, why);
    } else if !is_name {
        faults.push(at, format!("'{text}' is neither a name nor an address"));
    } else if bare.starts_with('*') {
        faults.push(at, "a wildcard is no host; name one that it covers");
    } else {
        return Some(bare.to_owned());
    }
    None
}

fn address(at: &str, text: Option<String>, faults: &mut Faults) -> Option<IpAddr> {
    let text = text?;
    let parsed = text.trim_matches(['[', ']']).parse();
    if parsed.is_err() {
        faults.push(
            format!("{at}.address"),
            format!("'{text}' is not an IP address; a name goes into 'host'"),
        );
    }
    parsed.ok()
}

fn server_name(at: &str, text: &str, faults: &mut Faults) -> Option<ServerName> {
    ServerName::parse(text)
        .map_err(|error| faults.push(at, error.to_string()))
        .ok()
}

pub(super) fn names(at: &str, texts: Vec<String>, faults: &mut Faults) -> Vec<Name> {
    let mut found = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match Name::parse(text) {
            Ok(name) => found.push(name),
            Err(why) => faults.push(format!("{at}.names[{index}]"), why),
        }
    }
    found
}

/// What is usual at the port where nothing is said.
fn starttls(word: &str, port: u16) -> Option<StartTls> {
    match word {
        "auto" => StartTls::usual_at(port),
        other => StartTls::named(other),
    }
}
