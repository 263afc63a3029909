// SPDX-License-Identifier: Apache-2.0
//! PEM (RFC 7468, and the header lines of RFC 1421 for keys): a strict splitter and a writer.

use zeroize::Zeroizing;

use crate::{Error, Result};

/// One block of a PEM text. The content may be a secret, so `Debug` shows the label and the size only.
#[derive(Clone, PartialEq, Eq)]
pub struct PemBlock {
    /// The words after BEGIN, such as `CERTIFICATE`.
    pub label: String,
    /// Lines such as `Proc-Type: 4,ENCRYPTED`, as name and value.
    pub headers: Vec<(String, String)>,
    /// The decoded bytes.
    pub der: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for PemBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            label,
            headers: _,
            der,
        } = self;
        write!(f, "PemBlock({label}, {} bytes elided)", der.len())
    }
}

/// Splits a text into its blocks, in order.
///
/// Text around the blocks, CRLF, a byte order mark and a missing line break between two blocks (files that were
/// concatenated) are accepted. `what` names the expected thing in errors.
///
/// # Errors
/// [`Error::Empty`], [`Error::Truncated`] for a block without its end or with damaged base64,
/// [`Error::Malformed`] for a text without any block.
pub fn decode(text: &[u8], what: &'static str) -> Result<Vec<PemBlock>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty { what });
    }
    let mut blocks = Vec::new();
    let mut open: Option<OpenBlock<'_>> = None;
    for (number, line) in lines(text) {
        match (&mut open, marker(line, "BEGIN"), marker(line, "END")) {
            (None, Some(label), _) => open = Some(OpenBlock::new(label, number)),
            (None, None, _) => {}
            (Some(block), Some(_), _) => return Err(block.unfinished(what)),
            (Some(block), None, Some(label)) if label == block.label => {
                blocks.push(block.close(what)?);
                open = None;
            }
            (Some(block), None, Some(_)) => return Err(block.unfinished(what)),
            (Some(block), None, None) => block.push(line),
        }
    }
    match open {
        Some(block) => Err(block.unfinished(what)),
        None if blocks.is_empty() => Err(Error::malformed(what, no_block(text))),
        None => Ok(blocks),
    }
}

/// The only block whose label is one of `labels`.
///
/// # Errors
/// As [`decode`]; [`Error::WrongBlock`] if there are only others, [`Error::Several`] if there is more than one.
pub(crate) fn single(text: &[u8], what: &'static str, labels: &[&str]) -> Result<PemBlock> {
    let blocks = decode(text, what)?;
    let found = describe(&blocks);
    let mut wanted: Vec<PemBlock> = blocks
        .into_iter()
        .filter(|block| labels.contains(&block.label.as_str()))
        .collect();
    match (wanted.len(), wanted.pop()) {
        (1, Some(block)) => Ok(block),
        (0, _) | (_, None) => Err(Error::WrongBlock {
            expected: what,
            found,
        }),
        (count, _) => Err(Error::Several { what, count }),
    }
}

/// The labels of blocks for a message: "a PRIVATE KEY block and a CERTIFICATE block".
pub(crate) fn describe(blocks: &[PemBlock]) -> String {
    let mut labels: Vec<&str> = blocks.iter().map(|block| block.label.as_str()).collect();
    labels.dedup();
    let named: Vec<String> = labels
        .iter()
        .map(|label| format!("a {label} block"))
        .collect();
    named.join(" and ")
}

/// Writes one block in lines of 64 characters, with a final newline.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = openssl::base64::encode_block(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

struct OpenBlock<'a> {
    label: &'a str,
    number: usize,
    lines: Vec<&'a [u8]>,
}

impl<'a> OpenBlock<'a> {
    fn new(label: &'a str, number: usize) -> Self {
        Self {
            label,
            number,
            lines: Vec::new(),
        }
    }

    fn push(&mut self, line: &'a [u8]) {
        self.lines.push(line);
    }

    fn unfinished(&self, what: &'static str) -> Error {
        let Self { label, number, .. } = self;
        let reason = format!("the {label} block that begins on line {number} has no END line");
        Error::Truncated { what, reason }
    }

    fn close(&self, what: &'static str) -> Result<PemBlock> {
        let mut body = self.lines.as_slice();
        let mut headers: Vec<(String, String)> = Vec::new();
        while let [line, rest @ ..] = body {
            let text = String::from_utf8_lossy(line);
            match (text.split_once(':'), headers.last_mut()) {
                (Some((name, value)), _) => headers.push((name.trim().into(), value.trim().into())),
                (None, Some((_, value))) if text.starts_with([' ', '\t']) => {
                    value.push_str(text.trim())
                }
                _ => break,
            }
            body = rest;
        }
        let der = decode_base64(body).map_err(|reason| Error::Truncated {
            what,
            reason: format!(
                "the {} block that begins on line {}: {reason}",
                self.label, self.number
            ),
        })?;
        Ok(PemBlock {
            label: self.label.to_owned(),
            headers,
            der,
        })
    }
}

/// Lines with their numbers, from 1. `-----END A----------BEGIN B-----` is two lines.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    text.split(|byte| *byte == b'\n')
        .enumerate()
        .flat_map(|(index, line)| {
            let line = line.trim_ascii_end();
            let seam = line.windows(10).position(|window| window == b"----------");
            let (first, second) = match seam {
                Some(at) => (&line[..at + 5], Some(&line[at + 5..])),
                None => (line, None),
            };
            std::iter::once(first)
                .chain(second)
                .map(move |part| (index + 1, part))
        })
}

fn marker<'a>(line: &'a [u8], word: &str) -> Option<&'a str> {
    let line = std::str::from_utf8(line).ok()?.trim();
    line.strip_prefix("-----")?
        .strip_prefix(word)?
        .strip_prefix(' ')?
        .strip_suffix("-----")
}

fn no_block(text: &[u8]) -> String {
    if text.first() == Some(&0x30) && std::str::from_utf8(text).is_err() {
        return "it is binary (DER) and not PEM; convert it with openssl ... -inform DER".into();
    }
    "it has no line '-----BEGIN ...-----'; give the text of a PEM file".into()
}

/// RFC 4648 §4, strictly: no foreign characters, complete padding, no stray bits.
fn decode_base64(lines: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, String> {
    let length = lines.iter().map(|line| line.len()).sum::<usize>();
    // Enough at once: growing would leave copies of a secret behind.
    let mut out = Zeroizing::new(Vec::with_capacity(length / 4 * 3 + 3));
    let (mut bits, mut count, mut padding) = (0u32, 0usize, 0usize);
    for byte in lines
        .iter()
        .flat_map(|line| line.iter())
        .filter(|byte| !byte.is_ascii_whitespace())
    {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return Err("a character that is not base64".into()),
        };
        if padding > 0 {
            return Err("base64 goes on after its padding".into());
        }
        bits = (bits << 6) | u32::from(value);
        count += 1;
        if count % 4 == 0 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match (count % 4, padding) {
        (0, 0) if count > 0 => {}
        (2, 2) if bits & 0xf == 0 => out.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        (3, 1) if bits & 0x3 == 0 => out.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        (0, 0) => return Err("it holds nothing".into()),
        _ => return Err("the base64 is cut off".into()),
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
