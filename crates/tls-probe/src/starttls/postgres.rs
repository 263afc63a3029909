// SPDX-License-Identifier: Apache-2.0
//! PostgreSQL: SSLRequest, "Message Formats" in its documentation.

use crate::Result;
use crate::starttls::StartTls;
use crate::wire::{Wire, printable};

/// Length 8, code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    wire.send(&SSL_REQUEST)?;
    match wire.take(1)?[..] {
        [b'S'] => Ok(()),
        [b'N'] => Err(StartTls::Postgres.refused(wire, "it has no TLS ('ssl' is off)")),
        ref other => {
            let other = printable(other);
            Err(StartTls::Postgres.refused(wire, format!("it answers '{other}' to SSLRequest")))
        }
    }
}
