// SPDX-License-Identifier: Apache-2.0
//! Where a bus or a daemon listens: addresses as in the D-Bus specification, Unix sockets only.

use std::fmt;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;

use crate::Error;

/// The system bus where its variable is not set: the specification's path, and the one before `/run`.
const SYSTEM_BUS: &str =
    "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket";

/// Which way to certmonger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The system bus, or a bus in its place.
    Bus(Address),
    /// The socket of `certmonger -L`, without any bus.
    Private(Address),
}

impl Place {
    /// The way that the environment names: certmonger's own socket, else the system bus.
    ///
    /// # Errors
    /// [`Error::Address`] for a value that is no address.
    pub fn from_environment(private: Option<&str>, bus: Option<&str>) -> Result<Self, Error> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        match (given(private), given(bus)) {
            (Some(private), _) => Ok(Self::Private(private.parse()?)),
            (None, Some(bus)) => Ok(Self::Bus(bus.parse()?)),
            (None, None) => Ok(Self::Bus(SYSTEM_BUS.parse()?)),
        }
    }

    /// Its address.
    pub fn address(&self) -> &Address {
        match self {
            Self::Bus(address) | Self::Private(address) => address,
        }
    }
}

/// One address list: alternatives that are tried in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    text: String,
    sockets: Vec<Socket>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Socket {
    Path(PathBuf),
    Abstract(Vec<u8>),
}

impl Socket {
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        match self {
            Self::Path(path) => SocketAddr::from_pathname(path),
            Self::Abstract(name) => SocketAddr::from_abstract_name(name),
        }
    }
}

impl Address {
    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An absolute path alone is the address of its socket.
impl std::str::FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = |why: &'static str| Error::Address {
            address: text.to_owned(),
            why,
        };
        if text.starts_with('/') {
            return Ok(Self {
                text: text.to_owned(),
                sockets: vec![Socket::Path(PathBuf::from(text))],
            });
        }
        let mut sockets = Vec::new();
        for one in text.split(';').filter(|one| !one.is_empty()) {
            let Some(pairs) = one.strip_prefix("unix:") else {
                continue;
            };
            for pair in pairs.split(',') {
                let Some((key, value)) = pair.split_once('=') else {
                    return Err(refused("each part of an address is 'key=value'"));
                };
                let value = unescape(value)
                    .ok_or_else(|| refused("a '%' is not followed by two hexadecimal digits"))?;
                match key {
                    "path" => sockets.push(Socket::Path(PathBuf::from(
                        <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(value),
                    ))),
                    "abstract" => sockets.push(Socket::Abstract(value)),
                    // A guid only tells servers apart.
                    _ => {}
                }
            }
        }
        if sockets.is_empty() {
            return Err(refused("it names no Unix socket; write 'unix:path=/…'"));
        }
        Ok(Self {
            text: text.to_owned(),
            sockets,
        })
    }
}

/// `%2f` → `/`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut found = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            found.push(byte);
            continue;
        }
        let mut digit = || {
            bytes
                .next()
                .and_then(|digit| char::from(digit).to_digit(16))
        };
        let (high, low) = (digit()?, digit()?);
        found.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Address, Place, Socket};

    #[test]
    fn an_address_list_is_taken_in_its_order_and_unescaped() {
        let address: Address = "tcp:host=x;unix:path=/a%2fb%20c,guid=12;unix:abstract=/tmp/x"
            .parse()
            .unwrap();
        assert_eq!(
            address.sockets(),
            [
                Socket::Path("/a/b c".into()),
                Socket::Abstract(b"/tmp/x".to_vec())
            ]
        );
    }

    #[test]
    fn what_names_no_socket_is_refused() {
        for text in [
            "",
            "tcp:host=localhost",
            "unix:path",
            "unix:path=%2",
            "unix:path=%zz",
            "nonsense",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.kind(), "certmonger.address", "{text}");
        }
    }

    #[test]
    fn the_private_socket_goes_before_the_bus_and_the_bus_has_a_default() {
        let private = Place::from_environment(Some("unix:path=/p"), Some("unix:path=/b")).unwrap();
        assert!(matches!(private, Place::Private(_)));
        let bus = Place::from_environment(Some(""), Some("unix:path=/b")).unwrap();
        assert_eq!(bus.address().to_string(), "unix:path=/b");
        let default = Place::from_environment(None, None).unwrap();
        assert_eq!(default.address().sockets().len(), 2);
    }
}
