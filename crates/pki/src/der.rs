// SPDX-License-Identifier: Apache-2.0
//! A writer of DER (X.690) for the structures that we make: each function returns one encoded element.
//! And a reader for the few that `x509-parser` reads too leniently.

use crate::{Error, Oid, Result, Timestamp};

/// One element: identifier octet, length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    if content.len() < 0x80 {
        out.push(length[length.len() - 1]);
    } else {
        let skipped = length.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | u8::try_from(length.len() - skipped).unwrap_or_default());
        out.extend_from_slice(&length[skipped..]);
    }
    out.extend_from_slice(content);
    out
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// SET OF: DER wants the elements sorted by their encodings (X.690 §11.6).
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(0x31, &parts.concat())
}

/// `[number] EXPLICIT`, or a constructed implicit one.
pub(crate) fn context_constructed(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xa0 | number, content)
}

/// `[number] IMPLICIT` of a primitive type.
pub(crate) fn context_primitive(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, content)
}

pub(crate) fn boolean(value: bool) -> Vec<u8> {
    element(0x01, &[if value { 0xff } else { 0 }])
}

/// A non-negative INTEGER.
pub(crate) fn unsigned(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let skipped = bytes
        .iter()
        .take_while(|byte| **byte == 0)
        .count()
        .min(bytes.len() - 1);
    let mut content = bytes[skipped..].to_vec();
    if content[0] & 0x80 != 0 {
        content.insert(0, 0);
    }
    integer(&content)
}

/// An INTEGER from its content octets.
pub(crate) fn integer(content: &[u8]) -> Vec<u8> {
    element(0x02, content)
}

pub(crate) fn bit_string(unused_bits: u8, bytes: &[u8]) -> Vec<u8> {
    element(0x03, &[&[unused_bits], bytes].concat())
}

/// A BIT STRING of named bits: trailing zero bits are left out (X.690 §11.2.2).
pub(crate) fn named_bits(bits: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let set: Vec<usize> = bits.into_iter().map(usize::from).collect();
    let length = set.iter().max().map_or(0, |highest| highest + 1);
    let mut bytes = vec![0u8; length.div_ceil(8)];
    for bit in set {
        bytes[bit / 8] |= 0x80 >> (bit % 8);
    }
    let unused = bytes.len() * 8 - length;
    bit_string(u8::try_from(unused).unwrap_or_default(), &bytes)
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

pub(crate) fn null() -> Vec<u8> {
    element(0x05, &[])
}

pub(crate) fn object_identifier(oid: &Oid) -> Vec<u8> {
    element(0x06, &oid.der_content())
}

pub(crate) fn enumerated(value: u8) -> Vec<u8> {
    element(0x0a, &[value])
}

pub(crate) fn utf8_string(text: &str) -> Vec<u8> {
    element(0x0c, text.as_bytes())
}

pub(crate) fn printable_string(text: &str) -> Vec<u8> {
    element(0x13, text.as_bytes())
}

pub(crate) fn ia5_string(text: &str) -> Vec<u8> {
    element(0x16, text.as_bytes())
}

/// Time of RFC 5280 §4.1.2.5: UTCTime from 1950 to 2049, GeneralizedTime otherwise, both in seconds and Z.
pub(crate) fn time(at: Timestamp) -> Vec<u8> {
    let date = at.calendar();
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    );
    match date.year() {
        year @ 1950..=2049 => element(0x17, format!("{:02}{rest}", year % 100).as_bytes()),
        year => element(0x18, format!("{year:04}{rest}").as_bytes()),
    }
}

/// Checks that `der` is exactly one element, so that a cut or a lengthened file is named as such.
///
/// # Errors
/// [`Error::Truncated`] if bytes are missing, [`Error::Malformed`] if bytes follow or it is no SEQUENCE.
pub(crate) fn check_complete(der: &[u8], what: &'static str) -> Result<()> {
    let length = match read_element(der) {
        Some(Element {
            tag: 0x30, encoded, ..
        }) => encoded.len(),
        None if der.first() == Some(&0x30) => {
            let reason = format!("its {} bytes are fewer than its own length says", der.len());
            return Err(Error::Truncated { what, reason });
        }
        _ => {
            return Err(Error::malformed(
                what,
                "it does not begin as a DER structure",
            ));
        }
    };
    match der.len() - length {
        0 => Ok(()),
        extra => Err(Error::malformed(
            what,
            format!("{extra} bytes of something else follow it"),
        )),
    }
}

/// An element that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// The identifier octet.
    pub(crate) tag: u8,
    /// What the element holds.
    pub(crate) content: &'a [u8],
    /// The whole element.
    pub(crate) encoded: &'a [u8],
}

/// Reads the first element; `None` if it is cut off, has a long-form tag or a length not in DER.
pub(crate) fn read_element(input: &[u8]) -> Option<Element<'_>> {
    let (tag, length) = (*input.first()?, *input.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (header, length) = match usize::from(length) {
        short @ 0..=0x7f => (2, short),
        long => {
            let bytes = input.get(2..2 + (long & 0x7f))?;
            if bytes.len() > 4 || bytes.first().is_none_or(|first| *first == 0) {
                return None;
            }
            let length = bytes
                .iter()
                .fold(0usize, |length, byte| (length << 8) | usize::from(*byte));
            if length < 0x80 {
                return None;
            }
            (2 + bytes.len(), length)
        }
    };
    let end = header.checked_add(length)?;
    Some(Element {
        tag,
        content: input.get(header..end)?,
        encoded: &input[..end],
    })
}

/// The elements that fill `content` exactly; `None` if anything does not fit.
pub(crate) fn read_elements(mut content: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    while !content.is_empty() {
        let element = read_element(content)?;
        content = &content[element.encoded.len()..];
        elements.push(element);
    }
    Some(elements)
}

/// The elements of a value that is one SEQUENCE and nothing else.
pub(crate) fn read_sequence(value: &[u8]) -> Option<Vec<Element<'_>>> {
    match read_elements(value)?.as_slice() {
        [
            Element {
                tag: 0x30, content, ..
            },
        ] => read_elements(content),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(element(4, &[0; 127])[..2], [4, 0x7f]);
        assert_eq!(element(4, &[0; 128])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 256])[..4], [4, 0x82, 1, 0]);
        assert_eq!(element(4, &vec![0; 65_536])[..5], [4, 0x83, 1, 0, 0]);
    }

    #[test]
    fn integers_take_the_shortest_form() {
        assert_eq!(unsigned(0), [2, 1, 0]);
        assert_eq!(unsigned(127), [2, 1, 127]);
        assert_eq!(unsigned(128), [2, 2, 0, 128]);
        assert_eq!(unsigned(256), [2, 2, 1, 0]);
        assert_eq!(
            unsigned(u64::MAX),
            [2, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255]
        );
    }

    #[test]
    fn named_bits_drop_trailing_zeros() {
        assert_eq!(named_bits([0]), [3, 2, 7, 0x80]); // digitalSignature
        assert_eq!(named_bits([5, 6]), [3, 2, 1, 0x06]); // keyCertSign, cRLSign
        assert_eq!(named_bits([7]), [3, 2, 0, 0x01]); // encipherOnly
        assert_eq!(named_bits([0, 8]), [3, 3, 7, 0x80, 0x80]); // decipherOnly needs a second byte
        assert_eq!(named_bits([]), [3, 1, 0]);
    }

    #[test]
    fn time_is_utc_time_until_2049_and_generalized_time_from_2050() {
        let text = |at: &str| time(at.parse().unwrap_or(Timestamp(0)));
        assert_eq!(
            text("2049-12-31T23:59:59Z"),
            [&[0x17, 13][..], b"491231235959Z"].concat()
        );
        assert_eq!(
            text("2050-01-01T00:00:00Z"),
            [&[0x18, 15][..], b"20500101000000Z"].concat()
        );
        assert_eq!(
            text("1950-01-01T00:00:00Z"),
            [&[0x17, 13][..], b"500101000000Z"].concat()
        );
        assert_eq!(
            text("1949-12-31T23:59:59Z"),
            [&[0x18, 15][..], b"19491231235959Z"].concat()
        );
        assert_eq!(
            text("9999-12-31T23:59:59Z"),
            [&[0x18, 15][..], b"99991231235959Z"].concat()
        );
    }

    #[test]
    fn sets_are_sorted() {
        assert_eq!(
            set_of(vec![unsigned(2), unsigned(1)]),
            [0x31, 6, 2, 1, 1, 2, 1, 2]
        );
    }
}
