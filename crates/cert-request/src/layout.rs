// SPDX-License-Identifier: Apache-2.0
//! Contents ↔ bytes: what a file of a certificate holds, and whether it holds what it should.

use issuers::{Above, Issuer};
use pki::bundle::{self, Part};
use pki::chain::{Trust, Verified};
use pki::{Certificate, CertificateRequest, KeyFormat, PrivateKey};
use zeroize::Zeroizing;

use crate::failure::EntryError;
use crate::request::{Content, Entry, FileSpec, KeyWish, Store};

/// What was read from a file.
#[derive(Default)]
pub struct Held {
    /// The key in it.
    pub key: Option<PrivateKey>,
    /// The certificates in it, in their order.
    pub certificates: Vec<Certificate>,
}

/// What the files should hold, before it is verified: enough to compare, not to write.
pub struct Wanted<'a> {
    /// The certificate.
    pub leaf: &'a Certificate,
    /// The certificates above it.
    pub above: &'a Above,
    /// The key.
    pub key: &'a PrivateKey,
    /// The key block of the file from which the key was read: equal text needs no parsing.
    pub key_text: Option<&'a [u8]>,
    /// How the key shall be written.
    pub wish: &'a KeyWish,
}

/// One PEM block, borrowed from the file.
struct Block<'a> {
    label: &'a str,
    text: &'a [u8],
}

/// The PEM blocks of a text; what stands between them, and CR, do not matter.
fn blocks(bytes: &[u8]) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(begin) = find(rest, b"-----BEGIN ") {
        rest = &rest[begin..];
        let Some(dashes) = find(&rest[11..], b"-----") else {
            break;
        };
        let label = std::str::from_utf8(&rest[11..11 + dashes]).unwrap_or_default();
        let Some(end) = find(&rest[11..], b"-----END ").map(|at| at + 11) else {
            break;
        };
        let Some(close) = find(&rest[end + 9..], b"-----") else {
            break;
        };
        let whole = end + 9 + close + 5;
        found.push(Block {
            label,
            text: &rest[..whole],
        });
        rest = &rest[whole..];
    }
    found
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at;
        if bytes[from..].starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
    None
}

fn is_key(block: &Block<'_>) -> bool {
    block.label.ends_with("PRIVATE KEY")
}

/// Equal but for white space: another tool may have written longer lines or CRLF.
fn same_text(a: &[u8], b: &[u8]) -> bool {
    fn visible(text: &[u8]) -> impl Iterator<Item = &u8> {
        text.iter().filter(|byte| !byte.is_ascii_whitespace())
    }
    a == b.trim_ascii_end() || visible(a).eq(visible(b))
}

/// The text of the key in a PEM file.
pub fn key_text(bytes: &[u8]) -> Option<&[u8]> {
    blocks(bytes)
        .into_iter()
        .find(is_key)
        .map(|block| block.text)
}

impl Content {
    /// The parts of a PEM file of certificates and keys; `None` for other formats.
    fn parts(&self) -> Option<&[Part]> {
        Some(match self {
            Self::PrivateKey => &[Part::PrivateKey],
            Self::Certificate => &[Part::Certificate],
            Self::Chain => &[Part::Chain],
            Self::Fullchain => bundle::FULLCHAIN,
            Self::CaBundle => bundle::CA_BUNDLE,
            Self::Root => &[Part::Root],
            Self::Combined(parts) => parts,
            Self::Pkcs12(_) | Self::Jks(_) | Self::Csr => return None,
        })
    }

    /// Whether a root is all that the file is about.
    fn wants_root(&self) -> bool {
        matches!(self, Self::Root | Self::CaBundle)
    }
}

/// Reads a file that holds a key or a certificate, or only certificates above.
///
/// # Errors
/// What is wrong with it, as one line.
pub fn read(content: &Content, bytes: &[u8], wish: &KeyWish) -> Result<Held, String> {
    match content {
        Content::Pkcs12(store) => {
            let held = bundle::read_pkcs12(bytes, text(store)?).map_err(line)?;
            Ok(Held {
                key: Some(held.key),
                certificates: held.certificates,
            })
        }
        Content::Jks(store) => {
            let held = bundle::read_jks(bytes, text(store)?).map_err(line)?;
            Ok(Held {
                key: Some(held.key),
                certificates: held.certificates,
            })
        }
        Content::Csr => CertificateRequest::from_pem(bytes)
            .map(|_| Held::default())
            .map_err(line),
        // A certificate directly below its root has no chain: the file is there and empty.
        Content::Chain if bytes.trim_ascii().is_empty() => Ok(Held::default()),
        _ => read_pem(content, bytes, wish),
    }
}

fn read_pem(content: &Content, bytes: &[u8], wish: &KeyWish) -> Result<Held, String> {
    let parts = content.parts().unwrap_or_default();
    let mut held = Held::default();
    if parts.contains(&Part::PrivateKey) {
        let text = key_text(bytes).unwrap_or(bytes);
        let passphrase = wish
            .passphrase
            .as_ref()
            .map(|passphrase| passphrase.as_slice());
        held.key = Some(PrivateKey::from_pem(text, passphrase).map_err(line)?);
    }
    if parts.iter().any(|part| *part != Part::PrivateKey) {
        held.certificates = pki::chain::parse_bundle(bytes).map_err(line)?;
    }
    Ok(held)
}

fn line(error: impl std::error::Error) -> String {
    ansible_module::flatten(&error)
}

fn text(store: &Store) -> Result<&str, String> {
    std::str::from_utf8(&store.passphrase).map_err(|_| String::from("its passphrase is not UTF-8"))
}

/// How the content of a file differs from what it should be; `None` when it does not.
///
/// # Errors
/// What is wrong with a file that cannot even be read as what it should be.
pub fn difference(
    file: &FileSpec,
    bytes: &[u8],
    wanted: &Wanted<'_>,
) -> Result<Option<String>, String> {
    match (&file.content, file.content.parts()) {
        (_, Some(parts)) => {
            if !bundle::needs_private_key(parts) && blocks(bytes).iter().any(is_key) {
                return Ok(Some(String::from(
                    "holds a private key that does not belong there",
                )));
            }
            if same_blocks(parts, bytes, wanted) {
                return Ok(form_difference(bytes, wanted.wish));
            }
            let held = read(&file.content, bytes, wanted.wish)?;
            Ok(held_difference(parts, &held, wanted))
        }
        (Content::Csr, None) => Ok(None),
        (content, None) => {
            let held = read(content, bytes, wanted.wish)?;
            Ok(held_difference(
                &[Part::PrivateKey, Part::Certificate, Part::Chain, Part::Root],
                &held,
                wanted,
            ))
        }
    }
}

/// The certificates that one part brings into a file with these parts.
fn certificates<'a>(part: Part, parts: &[Part], wanted: &Wanted<'a>) -> Vec<&'a Certificate> {
    let leaf = wanted.leaf;
    match part {
        Part::Certificate => vec![leaf],
        Part::Chain => wanted.above.intermediates.iter().collect(),
        Part::Root => {
            let root = wanted
                .above
                .root
                .as_ref()
                .or_else(|| leaf.is_self_issued().then_some(leaf));
            root.filter(|root| *root != leaf || !parts.contains(&Part::Certificate))
                .into_iter()
                .collect()
        }
        Part::PrivateKey => Vec::new(),
    }
}

/// The quick look: block for block the same text, key and order included.
fn same_blocks(parts: &[Part], bytes: &[u8], wanted: &Wanted<'_>) -> bool {
    let mut expected: Vec<Option<&Certificate>> = Vec::new();
    for part in parts {
        match part {
            Part::PrivateKey => expected.push(None),
            part => expected.extend(certificates(*part, parts, wanted).into_iter().map(Some)),
        }
    }
    let found: Vec<Block<'_>> = blocks(bytes)
        .into_iter()
        .filter(|block| block.label != "EC PARAMETERS")
        .collect();
    let is_same = |(block, expected): (&Block<'_>, &Option<&Certificate>)| match expected {
        Some(certificate) => same_text(block.text, certificate.to_pem().as_bytes()),
        None => wanted
            .key_text
            .is_some_and(|key| is_key(block) && same_text(block.text, key)),
    };
    found.len() == expected.len() && found.iter().zip(&expected).all(is_same)
}

/// The slow look, by meaning.
fn held_difference(parts: &[Part], held: &Held, wanted: &Wanted<'_>) -> Option<String> {
    if let Some(key) = &held.key
        && key.public_key().ok() != wanted.key.public_key().ok()
    {
        return Some(String::from("holds another private key"));
    }
    let certificates: Vec<&Certificate> = parts
        .iter()
        .flat_map(|part| certificates(*part, parts, wanted))
        .collect();
    let has: Vec<&Certificate> = held.certificates.iter().collect();
    if has == certificates || ends_with_root(parts, &has, &certificates, wanted) {
        return None;
    }
    if parts.contains(&Part::Certificate) && held.certificates.first() != Some(wanted.leaf) {
        return Some(String::from("holds another certificate"));
    }
    Some(String::from("does not hold the certificates of the chain"))
}

/// Others end a chain with its root, as openstack/ansible-role-pki does directly below one. It serves as well (RFC 8446
/// §4.4.2), so such a file is not written again.
fn ends_with_root(
    parts: &[Part],
    has: &[&Certificate],
    certificates: &[&Certificate],
    wanted: &Wanted<'_>,
) -> bool {
    let root = wanted.above.root.as_ref();
    parts == bundle::FULLCHAIN
        && has
            .split_last()
            .is_some_and(|(last, before)| root == Some(*last) && before == certificates)
}

/// Is the key written as was asked for? Only what was asked counts.
fn form_difference(bytes: &[u8], wish: &KeyWish) -> Option<String> {
    let block = blocks(bytes).into_iter().find(is_key)?;
    let is_encrypted = block.label.starts_with("ENCRYPTED")
        || find(block.text, b"Proc-Type: 4,ENCRYPTED").is_some();
    if wish.passphrase.is_some() && !is_encrypted {
        return Some(String::from("its key is not encrypted"));
    }
    let is_traditional = !matches!(block.label, "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY");
    match wish.format {
        Some(KeyFormat::Pkcs8) if is_traditional => {
            Some(String::from("its key has the traditional form, not PKCS#8"))
        }
        Some(KeyFormat::Traditional) if !is_traditional => Some(String::from(
            "its key has the form PKCS#8, not the traditional",
        )),
        _ => None,
    }
}

/// Refuses, before anything is made, what could not be written at the end.
///
/// # Errors
/// [`EntryError::RootUnknown`] when a file is about a root that the issuer does not know.
pub fn check_root(entry: &Entry, issuer: &dyn Issuer) -> Result<(), EntryError> {
    let is_unknown = issuer.above().is_some_and(|above| above.root.is_none());
    if !is_unknown || !matches!(issuer.trust(), Trust::Partial) {
        return Ok(());
    }
    match entry.files.iter().find(|file| file.content.wants_root()) {
        Some(file) => Err(root_unknown(file)),
        None => Ok(()),
    }
}

/// Whether a file of the entry is about a root.
pub fn wants_root(entry: &Entry) -> bool {
    entry.files.iter().any(|file| file.content.wants_root())
}

fn root_unknown(file: &FileSpec) -> EntryError {
    EntryError::RootUnknown {
        content: file.content.word(),
        path: file.target.path.clone(),
    }
}

/// Everything of which files are made; only what was verified can be written.
pub struct Set<'a> {
    /// The certificate with its chain.
    pub verified: &'a Verified,
    /// The key.
    pub key: &'a PrivateKey,
    /// How the key is written.
    pub wish: &'a KeyWish,
    /// The request, where a file holds it.
    pub request: Option<&'a CertificateRequest>,
}

impl Set<'_> {
    /// The bytes of a file.
    ///
    /// # Errors
    /// [`EntryError::RootUnknown`], or that a key or store cannot be encoded.
    pub fn render(&self, file: &FileSpec) -> Result<Zeroizing<Vec<u8>>, EntryError> {
        match &file.content {
            Content::Csr => Ok(self.request_pem()),
            Content::Pkcs12(store) | Content::Jks(store) => {
                self.store(file, store).map_err(|source| EntryError::Store {
                    content: file.content.word(),
                    path: file.target.path.clone(),
                    source: Box::new(source),
                })
            }
            content if content.wants_root() && self.verified.root().is_none() => {
                Err(root_unknown(file))
            }
            content => {
                let parts = content.parts().unwrap_or_default();
                let key = bundle::needs_private_key(parts)
                    .then(|| key_pem(self.key, self.wish))
                    .transpose()?;
                Ok(bundle::pem(
                    parts,
                    self.verified,
                    key.as_ref().map(|pem| pem.as_slice()),
                ))
            }
        }
    }

    fn request_pem(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(
            self.request
                .map(CertificateRequest::to_pem)
                .unwrap_or_default()
                .into_bytes(),
        )
    }

    fn store(&self, file: &FileSpec, store: &Store) -> Result<Zeroizing<Vec<u8>>, bundle::Error> {
        let passphrase = Zeroizing::new(String::from_utf8_lossy(&store.passphrase).into_owned());
        let write = if matches!(file.content, Content::Jks(_)) {
            bundle::jks
        } else {
            bundle::pkcs12
        };
        write(self.verified, self.key, &store.alias, &passphrase).map(Zeroizing::new)
    }
}

/// The key as it is written.
///
/// # Errors
/// That the key has no such form.
pub fn key_pem(key: &PrivateKey, wish: &KeyWish) -> Result<Zeroizing<Vec<u8>>, EntryError> {
    let passphrase = wish
        .passphrase
        .as_ref()
        .map(|passphrase| passphrase.as_slice());
    key.to_pem(wish.format.unwrap_or(KeyFormat::Pkcs8), passphrase)
        .map_err(|source| EntryError::Make {
            what: "the private key's file",
            source: Box::new(source),
        })
}
