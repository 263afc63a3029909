// SPDX-License-Identifier: Apache-2.0
//! LDAP: the extended operation StartTLS (RFC 4511 §4.14).

use crate::Result;
use crate::starttls::StartTls;
use crate::wire::Wire;

/// `LDAPMessage { messageID 1, ExtendedRequest { requestName 1.3.6.1.4.1.1466.20037 } }`
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;
const EXTENDED_RESPONSE: u8 = 0x78;

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    wire.send(REQUEST)?;
    let message = message(wire)?;
    match result_code(&message) {
        Some(0) => Ok(()),
        Some(2) => Err(StartTls::Ldap.refused(wire, "it does not know StartTLS (protocolError)")),
        Some(52) => Err(StartTls::Ldap.refused(wire, "it has no TLS now (unavailable)")),
        Some(code) => Err(StartTls::Ldap.refused(wire, format!("result code {code}"))),
        None => Err(StartTls::Ldap.refused(wire, "its answer is no ExtendedResponse")),
    }
}

/// The content of one LDAPMessage. An answer to StartTLS is short.
fn message(wire: &mut Wire) -> Result<Vec<u8>> {
    let header = wire.take(2)?;
    let length = match header[1] {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(wire.take(1)?[0]),
        0x82 => {
            let long = wire.take(2)?;
            usize::from(long[0]) << 8 | usize::from(long[1])
        }
        // OpenLDAP writes lengths of four bytes where one would do.
        0x84 => {
            let long = wire.take(4)?;
            usize::try_from(u32::from_be_bytes([long[0], long[1], long[2], long[3]]))
                .unwrap_or(usize::MAX)
        }
        _ => usize::MAX,
    };
    if header[0] != SEQUENCE || length > 4096 {
        return Err(StartTls::Ldap.refused(wire, "its answer is no LDAP message"));
    }
    wire.take(length)
}

/// `messageID, ExtendedResponse { resultCode, ... }`
fn result_code(message: &[u8]) -> Option<u8> {
    let (_, rest) = element(message, INTEGER)?;
    let (response, _) = element(rest, EXTENDED_RESPONSE)?;
    match element(response, ENUMERATED)?.0 {
        [code] => Some(*code),
        _ => None,
    }
}

/// Takes a BER element of a kind off the front: its content, and the rest.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    (found == tag)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_read_in_short_and_long_form() {
        assert_eq!(
            result_code(b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
            Some(0)
        );
        let long = b"\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x34\x04\x00\x04\x00";
        assert_eq!(result_code(long), Some(52));
    }

    #[test]
    fn anything_cut_or_foreign_is_no_result() {
        let whole = b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
        for end in 0..whole.len() {
            assert_eq!(result_code(&whole[..end]), None, "{end}");
        }
        assert_eq!(
            result_code(b"\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"),
            None
        );
        assert_eq!(result_code(b"\x02\x84\xff\xff\xff\xff\x01"), None);
    }
}
