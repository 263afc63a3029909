// SPDX-License-Identifier: Apache-2.0
//! What a server showed.

/// The certificates that a server sent, in its order. None of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    leaf: Vec<u8>,
    others: Vec<Vec<u8>>,
}

impl Presented {
    /// `None` if there is no certificate at all.
    pub(crate) fn new(mut chain: Vec<Vec<u8>>) -> Option<Self> {
        if chain.is_empty() {
            return None;
        }
        let others = chain.split_off(1);
        let leaf = chain.pop()?;
        Some(Self { leaf, others })
    }

    /// The first certificate, DER: the server's own.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// What came after it, DER, in the server's order.
    pub fn others(&self) -> &[Vec<u8>] {
        &self.others
    }

    /// The leaf's SHA-256.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        openssl::sha::sha256(&self.leaf)
    }

    /// The leaf's SHA-256 as `AB:CD:…`, as `cert_request` returns it and the openssl command shows it.
    pub fn fingerprint_sha256_text(&self) -> String {
        let bytes: Vec<String> = self
            .fingerprint_sha256()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }
}
