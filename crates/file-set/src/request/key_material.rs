// SPDX-License-Identifier: Apache-2.0
//! Whether bytes hold a private key: then nobody else gets access to the file.

/// First bytes of a Java key store: JKS and JCEKS.
const KEY_STORES: [[u8; 4]; 2] = [[0xfe, 0xed, 0xfe, 0xed], [0xce, 0xce, 0xce, 0xce]];

/// Whether a file with this content must be kept from other users: a private key in PEM of any kind, also encrypted,
/// a Java key store, or a PKCS#12 store.
pub fn holds_private_key(content: &[u8]) -> bool {
    is_key_store(content) || is_pkcs12(content) || holds_pem_key(content)
}

fn is_key_store(content: &[u8]) -> bool {
    KEY_STORES.iter().any(|magic| content.starts_with(magic))
}

/// `SEQUENCE { INTEGER 3, … }`: PFX of RFC 7292 section 4 with a length of two or three bytes, or an indefinite one.
fn is_pkcs12(content: &[u8]) -> bool {
    const VERSION: [u8; 3] = [2, 1, 3];
    let length = match content {
        [0x30, 0x80, ..] => 0,
        [0x30, 0x82, ..] => 2,
        [0x30, 0x83, ..] => 3,
        _ => return false,
    };
    content
        .get(2 + length..)
        .is_some_and(|rest| rest.starts_with(&VERSION))
}

/// `-----BEGIN … PRIVATE KEY-----` in one line (RFC 7468 sections 10 and 11, and OpenSSL's older words).
fn holds_pem_key(content: &[u8]) -> bool {
    content.split(|&byte| byte == b'\n').any(|line| {
        let Some(at) = find(line, b"-----BEGIN ") else {
            return false;
        };
        find(&line[at..], b"PRIVATE KEY-----").is_some()
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_key_is_told_from_what_does_not() {
        let keys: [&[u8]; 7] = [
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"text before\n-----BEGIN RSA PRIVATE KEY-----\r\nAAAA\n",
            b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nA\n",
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2],
            &[0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2],
            &[0x30, 0x82, 0x0a, 0x00, 2, 1, 3, 0x30],
            &[0x30, 0x83, 1, 0x0a, 0x00, 2, 1, 3, 0x30],
        ];
        for key in keys {
            assert!(holds_private_key(key), "{key:?}");
        }
        let others: [&[u8]; 5] = [
            b"",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            b"a note about a PRIVATE KEY-----\n",
            &[0x30, 0x82, 0x0a, 0x00, 0x30, 0x82],
        ];
        for other in others {
            assert!(!holds_private_key(other), "{other:?}");
        }
    }
}
