// SPDX-License-Identifier: Apache-2.0
//! Plain text before TLS: one file per protocol, each with one function `negotiate`.

mod imap;
mod ldap;
mod lines;
mod mysql;
mod pop3;
mod postgres;
mod smtp;
mod vnc;
mod xmpp;

use crate::wire::Wire;
use crate::{Error, Result, ServerName};

/// A protocol that goes over to TLS in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartTls {
    /// RFC 3501 §6.2.1.
    Imap,
    /// RFC 4511 §4.14.
    Ldap,
    /// The client/server protocol of MySQL and MariaDB.
    Mysql,
    /// RFC 2595 §4.
    Pop3,
    /// The PostgreSQL frontend/backend protocol, SSLRequest.
    Postgres,
    /// RFC 3207, with ESMTP.
    Smtp,
    /// RFB with the security type VeNCrypt, subtypes X509*: QEMU's and TigerVNC's.
    Vnc,
    /// RFC 6120 §5, client to server.
    Xmpp,
}

impl StartTls {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Imap,
        Self::Ldap,
        Self::Mysql,
        Self::Pop3,
        Self::Postgres,
        Self::Smtp,
        Self::Vnc,
        Self::Xmpp,
    ];

    /// The word for options and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Ldap => "ldap",
            Self::Mysql => "mysql",
            Self::Pop3 => "pop3",
            Self::Postgres => "postgres",
            Self::Smtp => "smtp",
            Self::Vnc => "vnc",
            Self::Xmpp => "xmpp",
        }
    }

    /// The protocol of a word; `None` if there is no such protocol.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// What IANA's list, and the custom of QEMU (5900 and up), say about a port. A guess: a program may listen
    /// anywhere.
    pub fn usual_at(port: u16) -> Option<Self> {
        match port {
            25 | 587 => Some(Self::Smtp),
            110 => Some(Self::Pop3),
            143 => Some(Self::Imap),
            389 => Some(Self::Ldap),
            3306 => Some(Self::Mysql),
            5222 => Some(Self::Xmpp),
            5432 => Some(Self::Postgres),
            5900..=5999 => Some(Self::Vnc),
            _ => None,
        }
    }

    /// Speaks the plain text until the next byte is TLS.
    pub(crate) fn negotiate(self, wire: &mut Wire, name: Option<&ServerName>) -> Result<()> {
        match self {
            Self::Imap => imap::negotiate(wire),
            Self::Ldap => ldap::negotiate(wire),
            Self::Mysql => mysql::negotiate(wire),
            Self::Pop3 => pop3::negotiate(wire),
            Self::Postgres => postgres::negotiate(wire),
            Self::Smtp => smtp::negotiate(wire),
            Self::Vnc => vnc::negotiate(wire),
            Self::Xmpp => xmpp::negotiate(wire, name),
        }
    }

    /// The server does not start TLS.
    pub(crate) fn refused(self, wire: &Wire, why: impl Into<String>) -> Error {
        Error::StartTls {
            address: wire.address(),
            protocol: self.name(),
            why: why.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_back_to_its_protocol() {
        for protocol in StartTls::ALL {
            assert_eq!(StartTls::named(protocol.name()), Some(protocol));
        }
        assert_eq!(StartTls::named("https"), None);
    }
}
