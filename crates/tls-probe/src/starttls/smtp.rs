// SPDX-License-Identifier: Apache-2.0
//! SMTP (RFC 5321) with STARTTLS (RFC 3207).

use super::lines::{LINES_LIMIT, line};
use crate::Result;
use crate::starttls::StartTls;
use crate::wire::Wire;

/// A name that belongs to nobody (RFC 2606): servers that check EHLO want one with a dot.
const EHLO: &[u8] = b"EHLO probe.tls-everywhere.invalid\r\n";

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    reply(wire, "220")?;
    wire.send(EHLO)?;
    let offers = reply(wire, "250")?;
    let has_starttls = |offer: &String| offer.trim().eq_ignore_ascii_case("STARTTLS");
    if !offers.iter().any(has_starttls) {
        return Err(StartTls::Smtp.refused(wire, "its answer to EHLO has no STARTTLS"));
    }
    wire.send(b"STARTTLS\r\n")?;
    reply(wire, "220").map(|_| ())
}

/// All lines of one reply, without the code.
fn reply(wire: &mut Wire, expected: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while lines.len() < LINES_LIMIT {
        let text = line(wire, StartTls::Smtp)?;
        let rest = text
            .strip_prefix(expected)
            .map(|rest| (rest.chars().next(), rest));
        match rest {
            Some((Some('-'), rest)) => lines.push(rest[1..].to_owned()),
            Some((None | Some(' '), rest)) => {
                lines.push(rest.trim_start().to_owned());
                return Ok(lines);
            }
            _ => return Err(StartTls::Smtp.refused(wire, format!("it says '{text}'"))),
        }
    }
    Err(StartTls::Smtp.refused(wire, format!("its reply has more than {LINES_LIMIT} lines")))
}
