// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Keys, requests, certificates, chains, CRLs and bundles.
//!
//! One crypto stack: OpenSSL makes keys, signs and verifies. The structures that we make are written by
//! the small DER writer in `der.rs` (RFC 5280, RFC 2986), those that we read are taken apart by
//! `x509-parser`. Nothing of these libraries is in the public interface. Time and passphrases
//! come from the caller; only key generation and serial numbers use the random numbers of the system.
//!
//! Why rcgen is only a witness in the tests (`tests/rcgen_agrees.rs`): it has no P-521 and no Ed448 without another
//! crypto library, drops repeated attributes of a name, and writes an issuer's name anew instead of repeating its
//! bytes, which breaks the chains of authorities that other programs made.

pub mod bundle;
pub mod chain;
pub mod crl;

mod authority;
mod certificate;
mod constraints;
mod der;
mod error;
mod extensions;
mod jks;
pub mod jws;
mod key;
mod mac;
mod names;
pub mod ocsp;
mod oid;
pub mod pem;
mod pkcs12;
mod public_key;
mod punycode;
mod request;
mod serial;
mod subject;
mod time;
mod usage;

pub use authority::{Authority, CertificateTemplate, self_sign};
pub use certificate::{Certificate, CertificateFacts};
pub use constraints::{IpSubnet, NameConstraints};
pub use error::{Error, Result};
pub use key::{Curve, KeyAlgorithm, KeyFormat, PrivateKey};
pub use mac::{MacHash, MacKey, sha256};
pub use names::{DnsName, EmailAddress, OtherName, SubjectAltNames, UniformResourceIdentifier};
pub use oid::Oid;
pub use public_key::PublicKey;
pub use request::{BasicConstraints, CertificateRequest, RequestTemplate};
pub use serial::Serial;
pub use subject::{Subject, SubjectAttribute};
pub use time::{CLOCK_TOLERANCE, Lifetime, RenewBefore, Timestamp, without_unit};
pub use usage::{ExtendedKeyUsage, KeyUsage};
