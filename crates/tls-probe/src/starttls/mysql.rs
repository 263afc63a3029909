// SPDX-License-Identifier: Apache-2.0
//! MySQL and MariaDB: the server greets, the client answers with an SSLRequest packet ("Connection Phase" in the
//! documentation of either).

use crate::Result;
use crate::starttls::StartTls;
use crate::wire::{Wire, printable};

/// Capability bits. All of them are old: every server that has TLS has them.
const CLIENT_LONG_PASSWORD: u32 = 1;
const CLIENT_PROTOCOL_41: u32 = 1 << 9;
const CLIENT_SSL: u32 = 1 << 11;
const CLIENT_SECURE_CONNECTION: u32 = 1 << 15;

const UTF8: u8 = 33;

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    let greeting = packet(wire)?;
    let capabilities = match greeting[..] {
        [10, ..] => capabilities(&greeting),
        // An error packet: code, then text. "Host is blocked" and "Too many connections" come so.
        [0xff, _, _, ref text @ ..] => {
            let text = printable(text);
            return Err(StartTls::Mysql.refused(wire, format!("it says '{text}'")));
        }
        _ => return Err(StartTls::Mysql.refused(wire, "it greets in no known way")),
    };
    match capabilities {
        Some(bits) if bits & CLIENT_SSL != 0 => wire.send(&ssl_request()),
        Some(_) => Err(StartTls::Mysql.refused(wire, "it has no TLS ('have_ssl' is not YES)")),
        None => Err(StartTls::Mysql.refused(wire, "its greeting is cut short")),
    }
}

/// Three bytes of length, one of sequence, the content. A greeting has about a hundred bytes.
fn packet(wire: &mut Wire) -> Result<Vec<u8>> {
    let header = wire.take(4)?;
    let length =
        usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    if length == 0 || length > 4096 {
        return Err(
            StartTls::Mysql.refused(wire, format!("it greets with a packet of {length} bytes"))
        );
    }
    wire.take(length)
}

/// The lower half of the capabilities: after the version, its zero, the thread (4), the salt (8) and a filler (1).
fn capabilities(greeting: &[u8]) -> Option<u32> {
    let end_of_version = greeting.iter().skip(1).position(|&byte| byte == 0)? + 1;
    let at = end_of_version + 1 + 4 + 8 + 1;
    let bits = greeting.get(at..at + 2)?;
    Some(u32::from(bits[0]) | u32::from(bits[1]) << 8)
}

/// Capabilities (4), largest packet (4), character set (1), 23 zeros; 32 bytes with sequence 1.
fn ssl_request() -> [u8; 36] {
    let bits = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION;
    let mut packet = [0; 36];
    packet[0] = 32;
    packet[3] = 1;
    packet[4..8].copy_from_slice(&bits.to_le_bytes());
    packet[8..12].copy_from_slice(&(1u32 << 24).to_le_bytes());
    packet[12] = UTF8;
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capabilities_stand_behind_the_version_and_the_salt() {
        let mut greeting = b"\x0a5.5.5-10.11.6-MariaDB\0".to_vec();
        greeting.extend([1, 0, 0, 0]);
        greeting.extend(*b"saltsalt\0");
        assert_eq!(capabilities(&greeting), None);
        greeting.extend([0xfe, 0xff, 33]);
        assert_eq!(capabilities(&greeting), Some(0xfffe));
        assert_eq!(capabilities(b"\x0ano end of the version"), None);
    }
}
