// SPDX-License-Identifier: Apache-2.0
//! The directory tree: which file is where. The layout is that of OpenStack-Ansible's PKI role, so
//! that an existing tree is adopted; we add `index.json`, `crl/` and bridge certificates, and leave
//! out its `.info` files, which repeat the certificate in YAML and go stale.
//!
//! ```text
//! <directory>/roots/<CA>/serial                     newest generation, "1000" and up
//!                        index.json                 issued and revoked serials, state, CRL number
//!                        csr/ca_csr-<n>.csr
//!                        private/<CA>.key.pem       (<CA>-<n>.key.pem while a CSR is away)
//!                        certs/<CA>-<n>.crt
//!                        certs/<CA>.crt             -> <CA>-<n>.crt
//!                        certs/<CA>-chain.crt       root: -> <CA>.crt; else itself and all above
//!                        certs/<CA>-cross-<P>.crt   its key signed by P
//!                        crl/<CA>.crl
//! <directory>/certs/{csr,certs,private}/
//!                   csr/<n>.csr  certs/<n>.crt  certs/<n>-chain.crt  certs/<n>-ca_bundle.crt
//! ```

use std::path::{Path, PathBuf};

use tls_files::{Attributes, Mode, Target};

use crate::names::{AuthorityName, EntryName};

/// The first generation of an authority, as upstream counts.
pub const FIRST_GENERATION: u64 = 1000;

/// Owners and modes of what we write.
#[derive(Debug, Clone)]
pub struct Ownership {
    /// Owner by number; none leaves it as created.
    pub owner: Option<u32>,
    /// Group by number; none leaves it as created.
    pub group: Option<u32>,
    /// Private keys.
    pub key_mode: Mode,
    /// Directories of private keys.
    pub key_directory_mode: Mode,
    /// Certificates, requests, lists, the index.
    pub certificate_mode: Mode,
    /// Other directories.
    pub directory_mode: Mode,
}

/// A directory of the tree and the mode with which it is made.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Where.
    pub path: PathBuf,
    /// Holds private keys.
    pub secret: bool,
}

/// The tree below one directory.
#[derive(Debug, Clone)]
pub struct Tree {
    /// `backend.files.directory`.
    pub root: PathBuf,
    /// Owners and modes.
    pub ownership: Ownership,
}

/// The places of one authority.
#[derive(Debug, Clone)]
pub struct AuthorityPlaces {
    name: String,
    directory: PathBuf,
}

/// The places of one signed certificate.
#[derive(Debug, Clone)]
pub struct EntryPlaces {
    /// The certificate.
    pub certificate: PathBuf,
    /// The certificate and its issuers without the root.
    pub chain: PathBuf,
    /// The issuer and all above it.
    pub ca_bundle: PathBuf,
    /// The request that it answers.
    pub request: PathBuf,
}

impl Tree {
    /// `roots/`.
    pub fn roots(&self) -> PathBuf {
        self.root.join("roots")
    }

    /// The places of an authority.
    pub fn authority(&self, name: &AuthorityName) -> AuthorityPlaces {
        AuthorityPlaces {
            name: name.to_string(),
            directory: self.roots().join(name.as_str()),
        }
    }

    /// Where signed certificates are kept.
    pub fn certificates(&self) -> PathBuf {
        self.root.join("certs").join("certs")
    }

    /// The places of a signed certificate.
    pub fn entry(&self, name: &EntryName) -> EntryPlaces {
        let certificates = self.certificates();
        EntryPlaces {
            certificate: certificates.join(format!("{name}.crt")),
            chain: certificates.join(format!("{name}-chain.crt")),
            ca_bundle: certificates.join(format!("{name}-ca_bundle.crt")),
            request: self
                .root
                .join("certs")
                .join("csr")
                .join(format!("{name}.csr")),
        }
    }

    /// The directories that every tree has, parents first.
    pub fn base_directories(&self) -> Vec<Directory> {
        let certs = self.root.join("certs");
        vec![
            Directory::open(self.root.clone()),
            Directory::open(self.roots()),
            Directory::open(certs.clone()),
            Directory::open(certs.join("csr")),
            Directory::open(certs.join("certs")),
            Directory::closed(certs.join("private")),
        ]
    }

    /// A file that may be read by all.
    pub fn public(&self, path: PathBuf) -> Target {
        self.target(
            path,
            self.ownership.certificate_mode.clone(),
            Secrecy::Public,
        )
    }

    /// A private key.
    pub fn private(&self, path: PathBuf) -> Target {
        self.target(path, self.ownership.key_mode.clone(), Secrecy::Private)
    }

    fn target(&self, path: PathBuf, mode: Mode, secrecy: Secrecy) -> Target {
        Target {
            path,
            attributes: Attributes {
                owner: self.ownership.owner,
                group: self.ownership.group,
                mode: Some(mode),
                context: None,
            },
            secret: secrecy == Secrecy::Private,
            backup: false,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Secrecy {
    Public,
    Private,
}

impl Directory {
    fn open(path: PathBuf) -> Self {
        Self {
            path,
            secret: false,
        }
    }

    fn closed(path: PathBuf) -> Self {
        Self { path, secret: true }
    }
}

impl AuthorityPlaces {
    /// `roots/<CA>`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its directories, parents first. Requests are closed too, as upstream has them.
    pub fn directories(&self) -> Vec<Directory> {
        vec![
            Directory::open(self.directory.clone()),
            Directory::closed(self.directory.join("csr")),
            Directory::closed(self.directory.join("private")),
            Directory::open(self.directory.join("certs")),
            Directory::open(self.directory.join("crl")),
        ]
    }

    /// The number of the newest generation.
    pub fn serial(&self) -> PathBuf {
        self.directory.join("serial")
    }

    /// Issued and revoked serials.
    pub fn index(&self) -> PathBuf {
        self.directory.join("index.json")
    }

    /// The private key in service.
    pub fn key(&self) -> PathBuf {
        self.private().join(format!("{}.key.pem", self.name))
    }

    /// The directory of private keys.
    pub fn private(&self) -> PathBuf {
        self.directory.join("private")
    }

    /// The key of a request that is away, while another key is in service.
    pub fn pending_key(&self, generation: u64) -> PathBuf {
        self.private()
            .join(format!("{}-{generation}.key.pem", self.name))
    }

    /// A request.
    pub fn request(&self, generation: u64) -> PathBuf {
        self.directory
            .join("csr")
            .join(format!("ca_csr-{generation}.csr"))
    }

    /// The directory of its certificates.
    pub fn certificates(&self) -> PathBuf {
        self.directory.join("certs")
    }

    /// The link to the newest certificate.
    pub fn certificate(&self) -> PathBuf {
        self.certificates().join(format!("{}.crt", self.name))
    }

    /// The file name of one generation, which is also what the link says.
    pub fn generation_name(&self, generation: u64) -> String {
        format!("{}-{generation}.crt", self.name)
    }

    /// One generation's certificate.
    pub fn generation(&self, generation: u64) -> PathBuf {
        self.certificates().join(self.generation_name(generation))
    }

    /// The generation that a file name in [`Self::certificates`] stands for.
    pub fn generation_of(&self, file_name: &str) -> Option<u64> {
        file_name
            .strip_prefix(self.name.as_str())?
            .strip_prefix('-')?
            .strip_suffix(".crt")?
            .parse()
            .ok()
    }

    /// The certificate and all above it.
    pub fn chain(&self) -> PathBuf {
        self.certificates().join(format!("{}-chain.crt", self.name))
    }

    /// Its key, signed by `signer`.
    pub fn bridge(&self, signer: &AuthorityName) -> PathBuf {
        self.certificates()
            .join(format!("{}-cross-{signer}.crt", self.name))
    }

    /// The revocation list.
    pub fn crl(&self) -> PathBuf {
        self.directory
            .join("crl")
            .join(format!("{}.crl", self.name))
    }
}
