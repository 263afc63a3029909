// SPDX-License-Identifier: Apache-2.0
//! RFB (RFC 6143) with the security type VeNCrypt, as QEMU and TigerVNC speak it
//! (<https://github.com/rfbproto/rfbproto>, "VeNCrypt").

use crate::Result;
use crate::starttls::StartTls;
use crate::wire::{Wire, printable};

const VENCRYPT: u8 = 19;

/// X509None, X509Vnc, X509Plain, X509SASL: TLS with a certificate. The TLS* subtypes are anonymous.
const WITH_CERTIFICATE: [u32; 4] = [260, 261, 262, 264];

pub(super) fn negotiate(wire: &mut Wire) -> Result<()> {
    let version = wire.take(12)?;
    if !version.starts_with(b"RFB 003.") || version < b"RFB 003.007\n".to_vec() {
        let version = printable(&version);
        return Err(StartTls::Vnc.refused(wire, format!("it greets with '{version}'")));
    }
    wire.send(b"RFB 003.008\n")?;
    let types = counted(wire)?;
    if !types.contains(&VENCRYPT) {
        return Err(StartTls::Vnc.refused(
            wire,
            format!("it offers the security types {types:?}, not VeNCrypt (19)"),
        ));
    }
    wire.send(&[VENCRYPT])?;
    choose_version(wire)?;
    choose_subtype(wire)
}

/// A count of one byte, then so many bytes. A count of zero is a refusal, with a text.
fn counted(wire: &mut Wire) -> Result<Vec<u8>> {
    match wire.take(1)?[0] {
        0 => {
            let length = wire.take(4)?;
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            let text = wire.take(length.min(1024) as usize)?;
            Err(StartTls::Vnc.refused(wire, format!("it says '{}'", printable(&text))))
        }
        count => wire.take(usize::from(count)),
    }
}

/// VeNCrypt 0.2 is the only version in use.
fn choose_version(wire: &mut Wire) -> Result<()> {
    let version = wire.take(2)?;
    if version < vec![0, 2] {
        return Err(StartTls::Vnc.refused(wire, "it speaks VeNCrypt 0.1 only"));
    }
    wire.send(&[0, 2])?;
    match wire.take(1)?[0] {
        0 => Ok(()),
        _ => Err(StartTls::Vnc.refused(wire, "it does not take VeNCrypt 0.2")),
    }
}

fn choose_subtype(wire: &mut Wire) -> Result<()> {
    let count = usize::from(wire.take(1)?[0]);
    let bytes = wire.take(4 * count)?;
    let offered: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    let Some(chosen) = WITH_CERTIFICATE
        .iter()
        .find(|subtype| offered.contains(subtype))
    else {
        return Err(StartTls::Vnc.refused(
            wire,
            format!("it offers the subtypes {offered:?}, none with a certificate"),
        ));
    };
    wire.send(&chosen.to_be_bytes())?;
    match wire.take(1)?[0] {
        1 => Ok(()),
        _ => Err(StartTls::Vnc.refused(wire, "it refuses the subtype that it offered")),
    }
}
