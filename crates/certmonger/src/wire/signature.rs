// SPDX-License-Identifier: Apache-2.0
//! Signatures: which types follow each other.

use super::WireError;

/// Arrays in arrays, and structures in structures: 32 each by the specification.
const DEEPEST: usize = 32;

/// The first complete type of a signature, and the rest.
pub(super) fn split_first(signature: &str) -> Result<(&str, &str), WireError> {
    let length = complete(signature.as_bytes(), 0, 0)?;
    // Only ASCII was accepted up to there.
    Ok(signature.split_at(length))
}

/// Checks that a signature is a series of complete types.
pub(super) fn check(signature: &str) -> Result<(), WireError> {
    let mut rest = signature;
    while !rest.is_empty() {
        rest = split_first(rest)?.1;
    }
    Ok(())
}

/// The length of the first complete type.
fn complete(bytes: &[u8], arrays: usize, structs: usize) -> Result<usize, WireError> {
    if arrays > DEEPEST || structs > DEEPEST {
        return Err(WireError::Nested);
    }
    match bytes.first() {
        Some(
            b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b'h' | b's' | b'o'
            | b'g' | b'v',
        ) => Ok(1),
        Some(b'a') if bytes.get(1) == Some(&b'{') => {
            entry(&bytes[1..], arrays + 1, structs).map(|length| length + 1)
        }
        Some(b'a') => complete(&bytes[1..], arrays + 1, structs).map(|length| length + 1),
        Some(b'(') => structure(bytes, arrays, structs + 1),
        _ => Err(WireError::NotValid("signature")),
    }
}

fn structure(bytes: &[u8], arrays: usize, structs: usize) -> Result<usize, WireError> {
    let mut at = 1;
    while bytes.get(at) != Some(&b')') {
        at += complete(bytes.get(at..).unwrap_or_default(), arrays, structs)?;
    }
    if at == 1 {
        return Err(WireError::NotValid("signature"));
    }
    Ok(at + 1)
}

/// `{kv}`: a basic key and one complete value.
fn entry(bytes: &[u8], arrays: usize, structs: usize) -> Result<usize, WireError> {
    if !bytes
        .get(1)
        .is_some_and(|key| b"ybnqiuxtdhsog".contains(key))
    {
        return Err(WireError::NotValid("signature"));
    }
    let value = complete(bytes.get(2..).unwrap_or_default(), arrays, structs + 1)?;
    match bytes.get(2 + value) {
        Some(b'}') => Ok(value + 3),
        _ => Err(WireError::NotValid("signature")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{check, split_first};

    #[test]
    fn complete_types_are_found() {
        for (whole, first) in [
            ("s", "s"),
            ("a{sv}s", "a{sv}"),
            ("aaib", "aai"),
            ("(s(ii))b", "(s(ii))"),
            ("a(ss)o", "a(ss)"),
        ] {
            assert_eq!(split_first(whole).unwrap().0, first);
            check(whole).unwrap();
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in [
            "a", "(", "()", "(s", "a{vs}", "a{s}", "a{sss}", "{sv}", "z", "a{(s)v}", "ä", ")",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&format!("{}s", "a".repeat(33))).is_err());
        assert!(check(&format!("{}s{}", "(".repeat(33), ")".repeat(33))).is_err());
        check(&format!("{}s", "a".repeat(32))).unwrap();
    }
}
