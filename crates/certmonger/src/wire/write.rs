// SPDX-License-Identifier: Apache-2.0
//! Values → bytes: exactly the types that we send, always little-endian.

use crate::fields::{Field, Fields};

/// The arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    signature: String,
}

impl Body {
    pub(crate) fn text(mut self, text: &str) -> Self {
        string(&mut self.bytes, text);
        self.signature.push('s');
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        string(&mut self.bytes, path);
        self.signature.push('o');
        self
    }

    pub(crate) fn fields(mut self, fields: &Fields) -> Self {
        self.signature.push_str("a{sv}");
        array(&mut self.bytes, 8, |bytes| {
            for (name, field) in fields.iter() {
                pad(bytes, 8);
                string(bytes, name);
                signature(bytes, field.signature());
                value(bytes, field);
            }
        });
        self
    }
}

fn value(bytes: &mut Vec<u8>, field: &Field) {
    match field {
        Field::Bool(flag) => number(bytes, u32::from(*flag)),
        Field::Int(wide) => {
            pad(bytes, 8);
            bytes.extend(wide.to_le_bytes());
        }
        Field::Path(text) | Field::Text(text) => string(bytes, text),
        Field::Texts(texts) => array(bytes, 4, |bytes| {
            for text in texts {
                string(bytes, text);
            }
        }),
    }
}

/// A method call, ready to be sent. certmonger insists on its name as destination also where there is no bus.
pub(crate) fn encode_call(
    serial: u32,
    destination: &str,
    path: &str,
    method: (&str, &str),
    may_start: bool,
    body: &Body,
) -> Vec<u8> {
    const METHOD_CALL: u8 = 1;
    const NO_AUTO_START: u8 = 2;
    let flags = if may_start { 0 } else { NO_AUTO_START };
    let mut bytes = vec![b'l', METHOD_CALL, flags, 1];
    number(
        &mut bytes,
        u32::try_from(body.bytes.len()).unwrap_or(u32::MAX),
    );
    number(&mut bytes, serial);
    array(&mut bytes, 8, |bytes| {
        header(bytes, 1, "o", path);
        header(bytes, 2, "s", method.0);
        header(bytes, 3, "s", method.1);
        header(bytes, 6, "s", destination);
        if !body.signature.is_empty() {
            pad(bytes, 8);
            bytes.push(8);
            signature(bytes, "g");
            signature(bytes, &body.signature);
        }
    });
    pad(&mut bytes, 8);
    bytes.extend(&body.bytes);
    bytes
}

fn header(bytes: &mut Vec<u8>, code: u8, kind: &str, text: &str) {
    pad(bytes, 8);
    bytes.push(code);
    signature(bytes, kind);
    string(bytes, text);
}

/// The length of an array counts from the first element, after its padding.
fn array(bytes: &mut Vec<u8>, alignment: usize, elements: impl FnOnce(&mut Vec<u8>)) {
    number(bytes, 0);
    let length_at = bytes.len() - 4;
    pad(bytes, alignment);
    let begin = bytes.len();
    elements(bytes);
    let length = u32::try_from(bytes.len() - begin).unwrap_or(u32::MAX);
    bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn number(bytes: &mut Vec<u8>, value: u32) {
    pad(bytes, 4);
    bytes.extend(value.to_le_bytes());
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, u32::try_from(text.len()).unwrap_or(u32::MAX));
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn signature(bytes: &mut Vec<u8>, kind: &str) {
    // Ours are a few characters long.
    bytes.push(kind.len() as u8);
    bytes.extend(kind.as_bytes());
    bytes.push(0);
}
