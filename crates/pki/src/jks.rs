// SPDX-License-Identifier: Apache-2.0
//! Java key stores of type JKS, version 2, as `sun.security.provider.JavaKeyStore` reads and writes them.
//!
//! Integers are big-endian; a text is a 16-bit length and UTF-8 (Java's modified form differs for NUL and
//! beyond the basic plane only, which we refuse). A store is: magic, version, number of entries, entries, SHA-1
//! over passphrase, a fixed phrase and everything before. A key is masked with a chain of SHA-1 over passphrase
//! and salt: weak by today's measure, so the file's mode is its real protection, but some services read
//! nothing else.

use openssl::sha::Sha1;
use zeroize::Zeroizing;

use crate::bundle::{Error, same_content, store_chain};
use crate::chain::Verified;
use crate::der::Element;
use crate::{Certificate, Oid, PrivateKey, Timestamp, der};

const FORMAT: &str = "JKS";
const MAGIC: u32 = 0xFEED_FEED;
const MAGIC_JCEKS: u32 = 0xCECE_CECE;
const VERSION: u32 = 2;
const TAG_PRIVATE_KEY: u32 = 1;
const TAG_TRUSTED_CERTIFICATE: u32 = 2;
const CERTIFICATE_TYPE: &str = "X.509";
/// The phrase that the format puts between passphrase and content.
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// Sun's key protection algorithm.
const KEY_PROTECTOR: &str = "1.3.6.1.4.1.42.2.17.1.1";
const SHA1_LENGTH: usize = 20;
/// More certificates or entries than this are no key store of a service.
const MAX_COUNT: u32 = 1_000;

/// What a JKS store holds.
#[derive(Clone, Debug)]
pub struct JksContents {
    /// Name of the key's entry.
    pub alias: String,
    /// When the entry was made.
    pub created: Timestamp,
    /// The private key.
    pub key: PrivateKey,
    /// The key's certificate first, then its chain.
    pub certificates: Vec<Certificate>,
    /// Names of further entries.
    pub others: Vec<String>,
}

impl JksContents {
    /// Whether writing `verified` and `key` again would change nothing but salts and the date.
    pub fn contains_same(&self, verified: &Verified, key: &PrivateKey) -> bool {
        self.others.is_empty() && same_content(&self.key, &self.certificates, verified, key)
    }
}

/// Writes key, leaf and the chain with its root under `alias`, which Java keeps in lower case. Key and store
/// have the same passphrase, of which `keytool` wants six characters at least. The entry's date is the
/// begin of the leaf's lifetime.
///
/// # Errors
/// An alias or a passphrase that the format cannot hold; an OpenSSL failure.
pub fn jks(
    verified: &Verified,
    key: &PrivateKey,
    alias: &str,
    passphrase: &str,
) -> Result<Vec<u8>, Error> {
    let password = password_bytes(passphrase)?;
    let plain = key.to_pkcs8_der().map_err(content)?;
    let mut out = Writer::default();
    out.number(MAGIC);
    out.number(VERSION);
    out.number(1);
    out.number(TAG_PRIVATE_KEY);
    out.text(&checked_alias(alias)?);
    let created = verified.leaf().facts().not_before.0.saturating_mul(1_000);
    out.bytes.extend_from_slice(&created.to_be_bytes());
    out.block(&protect(&plain, &password)?);
    let chain = store_chain(verified);
    out.number(u32::try_from(chain.len()).unwrap_or(u32::MAX));
    for certificate in chain {
        out.text(CERTIFICATE_TYPE);
        out.block(certificate.der());
    }
    let digest = store_digest(&password, &out.bytes);
    out.bytes.extend_from_slice(&digest);
    Ok(out.bytes)
}

/// Reads a store with a private key. If it has several, the first is read and the others are named.
///
/// # Errors
/// [`Error::WrongPassphrase`] if the digest does not fit, [`Error::Unsupported`] for JCEKS, version 1 and foreign
/// key protection, [`Error::Malformed`] for anything else that is not such a store.
pub fn read_jks(store: &[u8], passphrase: &str) -> Result<JksContents, Error> {
    let password = password_bytes(passphrase)?;
    let mut reader = Reader::open(store)?;
    let digest = store_digest(&password, reader.signed);
    if !openssl::memcmp::eq(&digest, reader.digest) {
        return Err(Error::WrongPassphrase { format: FORMAT });
    }
    let mut found: Option<JksContents> = None;
    let mut others = Vec::new();
    for _ in 0..reader.count()? {
        let tag = reader.number()?;
        let alias = reader.text()?;
        let created = Timestamp(reader.long()?.div_euclid(1_000));
        match tag {
            TAG_PRIVATE_KEY if found.is_none() => {
                found = Some(reader.key_entry(alias, created, &password)?);
            }
            TAG_PRIVATE_KEY => {
                reader.block()?;
                reader.chain()?;
                others.push(alias);
            }
            TAG_TRUSTED_CERTIFICATE => {
                reader.certificate()?;
                others.push(alias);
            }
            _ => return Err(malformed("an entry is of an unknown kind")),
        }
    }
    reader.finish()?;
    let mut contents = found.ok_or_else(|| malformed("it holds no private key"))?;
    contents.others = others;
    Ok(contents)
}

fn malformed(reason: impl Into<String>) -> Error {
    Error::Malformed {
        format: FORMAT,
        reason: reason.into(),
    }
}

fn content(source: crate::Error) -> Error {
    let format = FORMAT;
    Error::Content { format, source }
}

fn unsupported(algorithm: impl Into<String>) -> Error {
    Error::Unsupported {
        format: FORMAT,
        algorithm: algorithm.into(),
    }
}

/// Java looks an alias up in lower case, so another spelling could never be found again.
fn checked_alias(alias: &str) -> Result<String, Error> {
    let reason = match alias {
        "" => "it is empty",
        text if text.len() > 255 => "it is longer than 255 bytes",
        text if text
            .chars()
            .any(|c| c.is_control() || u32::from(c) > 0xFFFF) =>
        {
            "it has a character that the format cannot hold"
        }
        text => return Ok(text.to_lowercase()),
    };
    Err(Error::EntryName {
        format: FORMAT,
        name: alias.escape_default().to_string(),
        reason,
    })
}

/// The characters of the passphrase as UTF-16, big-endian.
fn password_bytes(passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    if passphrase.is_empty() {
        return Err(Error::Passphrase {
            format: FORMAT,
            reason: "it is empty",
        });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * passphrase.len()));
    for unit in passphrase.encode_utf16() {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    Ok(bytes)
}

fn store_digest(password: &[u8], signed: &[u8]) -> [u8; SHA1_LENGTH] {
    let mut sha = Sha1::new();
    sha.update(password);
    sha.update(WHITENER);
    sha.update(signed);
    sha.finish()
}

fn key_digest(password: &[u8], data: &[u8]) -> Zeroizing<[u8; SHA1_LENGTH]> {
    let mut sha = Sha1::new();
    sha.update(password);
    sha.update(data);
    Zeroizing::new(sha.finish())
}

/// Masks or unmasks `data`: XOR with SHA-1(password, salt), SHA-1(password, that) and so on.
fn mask(data: &mut [u8], password: &[u8], salt: &[u8]) {
    let mut digest = key_digest(password, salt);
    for chunk in data.chunks_mut(SHA1_LENGTH) {
        for (byte, pad) in chunk.iter_mut().zip(digest.iter()) {
            *byte ^= pad;
        }
        digest = key_digest(password, &*digest);
    }
}

/// EncryptedPrivateKeyInfo (RFC 5958) around salt, masked key and SHA-1(password, key).
fn protect(plain: &[u8], password: &[u8]) -> Result<Vec<u8>, Error> {
    let mut salt = [0_u8; SHA1_LENGTH];
    openssl::rand::rand_bytes(&mut salt).map_err(|source| Error::OpenSsl {
        format: FORMAT,
        source,
    })?;
    let mut masked = Zeroizing::new(plain.to_vec());
    mask(&mut masked, password, &salt);
    let check = key_digest(password, plain);
    let protected = [&salt[..], &masked, &check[..]].concat();
    let algorithm = der::sequence(&[
        der::object_identifier(&Oid::known(KEY_PROTECTOR)),
        der::null(),
    ]);
    Ok(der::sequence(&[algorithm, der::octet_string(&protected)]))
}

fn unprotect(info: &[u8], password: &[u8]) -> Result<PrivateKey, Error> {
    let protected = protected_bytes(info)?;
    let key_length = protected
        .len()
        .checked_sub(2 * SHA1_LENGTH)
        .ok_or_else(|| malformed("its key is cut off"))?;
    let (salt, rest) = protected.split_at(SHA1_LENGTH);
    let (masked, check) = rest.split_at(key_length);
    let mut plain = Zeroizing::new(masked.to_vec());
    mask(&mut plain, password, salt);
    if !openssl::memcmp::eq(&*key_digest(password, &plain), check) {
        return Err(Error::WrongPassphrase { format: FORMAT });
    }
    PrivateKey::from_pkcs8_der(&plain).map_err(content)
}

/// The OCTET STRING of an EncryptedPrivateKeyInfo with Sun's algorithm.
fn protected_bytes(info: &[u8]) -> Result<&[u8], Error> {
    let broken = || malformed("its key is not an EncryptedPrivateKeyInfo");
    let parts = der::read_sequence(info).ok_or_else(broken)?;
    let [
        algorithm,
        Element {
            tag: 0x04,
            content: octets,
            ..
        },
    ] = parts.as_slice()
    else {
        return Err(broken());
    };
    let identifier = der::read_element(algorithm.content).ok_or_else(broken)?;
    let oid = Oid::from_der_content(identifier.content).map_err(content)?;
    if oid != KEY_PROTECTOR {
        return Err(unsupported(format!("the key protection {oid}")));
    }
    Ok(octets)
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn number(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn block(&mut self, block: &[u8]) {
        self.number(u32::try_from(block.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(block);
    }
}

struct Reader<'a> {
    /// What the digest covers.
    signed: &'a [u8],
    digest: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks magic and version and splits the digest off.
    fn open(store: &'a [u8]) -> Result<Self, Error> {
        let length = store
            .len()
            .checked_sub(SHA1_LENGTH)
            .ok_or_else(|| malformed("it is too short"))?;
        let (signed, digest) = store.split_at(length);
        let rest = signed;
        let mut reader = Self {
            signed,
            digest,
            rest,
        };
        match reader.number()? {
            MAGIC => {}
            MAGIC_JCEKS => return Err(unsupported("the form JCEKS")),
            _ if store.starts_with(&[0x30]) => {
                return Err(malformed(
                    "it looks like a PKCS#12 store, which Java writes since version 9",
                ));
            }
            _ => return Err(malformed("it does not begin with FEEDFEED")),
        }
        match reader.number()? {
            VERSION => Ok(reader),
            version => Err(unsupported(format!("version {version} of the format"))),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| malformed("it is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| malformed("it is cut off"))
    }

    fn number(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Result<i64, Error> {
        self.array().map(i64::from_be_bytes)
    }

    fn count(&mut self) -> Result<u32, Error> {
        match self.number()? {
            count if count <= MAX_COUNT => Ok(count),
            count => Err(malformed(format!(
                "it claims {count} entries or certificates"
            ))),
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        let length = u16::from_be_bytes(self.array()?);
        let bytes = self.take(usize::from(length))?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned)
            .map_err(|_| malformed("an alias is not UTF-8"))
    }

    fn block(&mut self) -> Result<&'a [u8], Error> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn certificate(&mut self) -> Result<Certificate, Error> {
        let kind = self.text()?;
        if kind != CERTIFICATE_TYPE {
            return Err(unsupported(format!(
                "certificates of type '{}'",
                kind.escape_default()
            )));
        }
        Certificate::from_der(self.block()?).map_err(content)
    }

    fn chain(&mut self) -> Result<Vec<Certificate>, Error> {
        (0..self.count()?).map(|_| self.certificate()).collect()
    }

    fn key_entry(
        &mut self,
        alias: String,
        created: Timestamp,
        password: &[u8],
    ) -> Result<JksContents, Error> {
        let key = unprotect(self.block()?, password)?;
        Ok(JksContents {
            alias,
            created,
            key,
            certificates: self.chain()?,
            others: Vec::new(),
        })
    }

    fn finish(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(malformed("bytes follow the last entry"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_twice_gives_the_key_back() {
        let plain: Vec<u8> = (0..=255).collect();
        let mut data = plain.clone();
        mask(&mut data, b"p\0a\0", &[7; SHA1_LENGTH]);
        assert_ne!(data, plain);
        mask(&mut data, b"p\0a\0", &[7; SHA1_LENGTH]);
        assert_eq!(data, plain);
    }

    #[test]
    fn the_first_block_of_the_mask_is_sha1_of_password_and_salt() {
        let mut data = [0_u8; SHA1_LENGTH];
        mask(&mut data, b"ab", b"cd");
        assert_eq!(data, openssl::sha::sha1(b"abcd"));
    }
}
