// SPDX-License-Identifier: Apache-2.0
//! Lines of text protocols.

use crate::Result;
use crate::starttls::StartTls;
use crate::wire::{Wire, printable};

/// RFC 5321 §4.5.3.1.5 has 512, RFC 2683 §3.2.1.5 has 8000.
const LINE_LIMIT: usize = 8000;

/// No greeting has more; what has is not the protocol that it is taken for.
pub(super) const LINES_LIMIT: usize = 100;

/// One line without its end. Read byte by byte: what follows the last line belongs to TLS.
pub(super) fn line(wire: &mut Wire, protocol: StartTls) -> Result<String> {
    let mut bytes = Vec::new();
    loop {
        match wire.take(1)?[..] {
            [b'\n'] => return Ok(printable(&bytes)),
            _ if bytes.len() == LINE_LIMIT => {
                return Err(protocol.refused(
                    wire,
                    format!("it sent a line of more than {LINE_LIMIT} bytes"),
                ));
            }
            ref one => bytes.extend_from_slice(one),
        }
    }
}
