// SPDX-License-Identifier: Apache-2.0
//! How to prove what is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ansible_module::Faults;
use serde_json::{Map, Value};
use tls_probe::{ServerName, StartTls};

/// How to prove what is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By the listeners of the container's own processes.
    Auto,
    /// Not at all.
    None,
    /// By these endpoints, as the host reaches them.
    Endpoints(Vec<Endpoint>),
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port.
    pub address: SocketAddr,
    /// The name to ask for; the certificate's first where nothing is said.
    pub server_name: Option<ServerName>,
    /// What comes before TLS; what is usual at the port where nothing is said.
    pub starttls: Option<StartTls>,
}

const KEYS: [&str; 4] = ["host", "port", "sni", "starttls"];

pub(super) fn verify(value: Value, faults: &mut Faults) -> Verify {
    match value {
        Value::String(word) if word == "auto" => Verify::Auto,
        Value::String(word) if word == "none" => Verify::None,
        Value::Array(items) if !items.is_empty() => {
            let each = items.iter().enumerate();
            let found = each
                .filter_map(|(index, item)| endpoint(&format!("verify[{index}]"), item, faults));
            Verify::Endpoints(found.collect())
        }
        _ => {
            faults.push(
                "verify",
                "expected auto, none, or a list of endpoints with host and port",
            );
            Verify::Auto
        }
    }
}

fn endpoint(at: &str, value: &Value, faults: &mut Faults) -> Option<Endpoint> {
    let Value::Object(map) = value else {
        faults.push(at, "expected a dictionary with host and port");
        return None;
    };
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        faults.push(
            format!("{at}.{key}"),
            format!("unknown option; known are: {}", KEYS.join(", ")),
        );
    }
    let host = text(at, map, "host", faults);
    let ip = match host.as_deref().map(str::parse::<IpAddr>) {
        None => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Some(Ok(ip)) => Some(ip),
        Some(Err(_)) if host.as_deref() == Some("localhost") => {
            Some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
        Some(Err(_)) => {
            // What a name resolves to may be another host: that would prove nothing about this one.
            faults.push(
                format!("{at}.host"),
                "give an address of this host; a name goes into 'sni'",
            );
            None
        }
    };
    let port = port(at, map, faults);
    let server_name =
        text(at, map, "sni", faults).and_then(|name| match ServerName::parse(&name) {
            Ok(name) => Some(name),
            Err(error) => {
                faults.push(format!("{at}.sni"), error.to_string());
                None
            }
        });
    let starttls = text(at, map, "starttls", faults).and_then(|word| {
        let known = StartTls::named(&word);
        if known.is_none() {
            let words = StartTls::ALL.map(StartTls::name);
            faults.push(
                format!("{at}.starttls"),
                format!("'{word}' is not one of: {}", words.join(", ")),
            );
        }
        known
    });
    Some(Endpoint {
        address: SocketAddr::new(ip?, port?),
        server_name,
        starttls,
    })
}

fn port(at: &str, map: &Map<String, Value>, faults: &mut Faults) -> Option<u16> {
    let number = match map.get("port") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let port = number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port != 0);
    if port.is_none() {
        faults.push(format!("{at}.port"), "is required, 1 to 65535");
    }
    port
}

fn text(at: &str, map: &Map<String, Value>, key: &str, faults: &mut Faults) -> Option<String> {
    match map.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.push(format!("{at}.{key}"), "expected a string");
            None
        }
    }
}
