// SPDX-License-Identifier: Apache-2.0
//! IMAP (RFC 3501 §6.2.1).

use super::lines::{LINES_LIMIT, line};
use crate::Result;
use crate::starttls::StartTls;
use crate::wire::Wire;

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    let greeting = line(wire, StartTls::Imap)?;
    if !starts_with(&greeting, "* OK") {
        return Err(StartTls::Imap.refused(wire, format!("it greets with '{greeting}'")));
    }
    wire.send(b"a1 STARTTLS\r\n")?;
    for _ in 0..LINES_LIMIT {
        let text = line(wire, StartTls::Imap)?;
        match () {
            () if starts_with(&text, "a1 OK") => return Ok(()),
            () if text.starts_with("* ") => {}
            () => return Err(StartTls::Imap.refused(wire, format!("it says '{text}'"))),
        }
    }
    Err(StartTls::Imap.refused(wire, format!("it sent more than {LINES_LIMIT} lines")))
}

fn starts_with(text: &str, wanted: &str) -> bool {
    text.get(..wanted.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}
