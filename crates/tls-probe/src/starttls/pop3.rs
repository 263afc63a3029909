// SPDX-License-Identifier: Apache-2.0
//! POP3 (RFC 1939) with STLS (RFC 2595 §4).

use super::lines::line;
use crate::Result;
use crate::starttls::StartTls;
use crate::wire::Wire;

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    let greeting = line(wire, StartTls::Pop3)?;
    if !greeting.starts_with("+OK") {
        return Err(StartTls::Pop3.refused(wire, format!("it greets with '{greeting}'")));
    }
    wire.send(b"STLS\r\n")?;
    let answer = line(wire, StartTls::Pop3)?;
    match answer.starts_with("+OK") {
        true => Ok(()),
        false => Err(StartTls::Pop3.refused(wire, format!("it says '{answer}'"))),
    }
}
