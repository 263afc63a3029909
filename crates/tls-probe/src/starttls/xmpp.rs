// SPDX-License-Identifier: Apache-2.0
//! XMPP (RFC 6120 §5.4), client to server.

use crate::starttls::StartTls;
use crate::wire::{Wire, printable};
use crate::{Result, ServerName};

/// A stream's features are some hundred bytes.
const TEXT_LIMIT: usize = 16 * 1024;

pub(super) fn negotiate(wire: &mut Wire, name: Option<&ServerName>) -> Result<()> {
    // A ServerName has no character that XML would mind.
    let to = name.map_or("localhost", ServerName::as_str);
    let open = format!(
        "<?xml version='1.0'?><stream:stream to='{to}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    );
    wire.send(open.as_bytes())?;
    let features = until(
        wire,
        &[
            "</stream:features>",
            "<stream:features/>",
            "</stream:stream>",
        ],
    )?;
    if !features.contains("urn:ietf:params:xml:ns:xmpp-tls") {
        let said = features.chars().rev().take(200).collect::<Vec<_>>();
        let said: String = said.into_iter().rev().collect();
        return Err(
            StartTls::Xmpp.refused(wire, format!("its features have no starttls: '{said}'"))
        );
    }
    wire.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
    let answer = until(wire, &[">"])?;
    match answer.trim_start().starts_with("<proceed") {
        true => Ok(()),
        false => Err(StartTls::Xmpp.refused(wire, format!("it answers '{answer}'"))),
    }
}

/// The text up to the first of some ends. Byte by byte: what follows belongs to TLS.
fn until(wire: &mut Wire, ends: &[&str]) -> Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < TEXT_LIMIT {
        bytes.extend(wire.take(1)?);
        if bytes.ends_with(b">") && ends.iter().any(|end| bytes.ends_with(end.as_bytes())) {
            return Ok(printable(&bytes));
        }
    }
    Err(StartTls::Xmpp.refused(
        wire,
        format!("it sent more than {TEXT_LIMIT} bytes of features"),
    ))
}
