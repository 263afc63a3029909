// SPDX-License-Identifier: Apache-2.0
//! What is on the server: its state, and the issuers and keys of the mounts that the task is about.

mod below;
mod issued;
mod roles;

use std::collections::BTreeMap;

use ::vault::Vault;
use ::vault::pki::Mount;
use pki::crl::RevocationList;
use pki::{Certificate, CertificateRequest, PublicKey, Timestamp, chain};

use super::failure::VaultFailure;
use super::request::{Request, Wish};
use super::server::Server;
use crate::failure::Failure;
use crate::names::AuthorityName;
use crate::observe::files::read_request;
use crate::request::{State, WhenInUse};

pub use issued::Stored;

/// Everything that a decision may look at.
#[derive(Debug, Default)]
pub struct Observed {
    /// The server.
    pub server: Server,
    /// By path; the mount of the task and those of its parents.
    pub mounts: BTreeMap<String, ObservedMount>,
    /// What issuers that are to be removed have issued and is still valid, by their identifier.
    pub below: BTreeMap<String, Vec<String>>,
    /// Requests that lie in files, by authority.
    pub requests: BTreeMap<AuthorityName, CertificateRequest>,
    /// Certificates that are to be revoked, by serial number.
    pub stored: BTreeMap<String, Stored>,
    /// The domains that each role of the mount allows, where something is uploaded and the token may see them.
    pub domains: BTreeMap<String, Vec<String>>,
    /// Lists that the task asks for, by the identifier of their issuer.
    pub lists: BTreeMap<String, RevocationList>,
}

/// A mount of the PKI engine.
#[derive(Debug, Default, Clone)]
pub struct ObservedMount {
    /// Whether anything is mounted there.
    pub exists: bool,
    /// The longest lifetime in seconds, where the token may see it.
    pub max_ttl: Option<u64>,
    /// The lifetime of what says none, in seconds, where the token may see it.
    pub default_ttl: Option<u64>,
    /// Its issuers.
    pub issuers: Vec<ObservedIssuer>,
    /// Its keys.
    pub keys: Vec<ObservedKey>,
}

/// An issuer.
#[derive(Debug, Clone)]
pub struct ObservedIssuer {
    /// Its identifier.
    pub id: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// Its key, if the mount has it.
    pub key_id: Option<String>,
    /// Whether it is the default.
    pub is_default: bool,
    /// Its certificate.
    pub certificate: Certificate,
    /// What is served above it.
    pub above: Vec<Certificate>,
    /// The chain that was set by hand, as identifiers; empty if none was.
    pub manual_chain: Vec<String>,
    /// What it may be used for, in the words of the server.
    pub usage: Vec<String>,
    /// What becomes of a leaf that would outlive it.
    pub leaf_not_after: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A key.
#[derive(Debug, Clone)]
pub struct ObservedKey {
    /// Its identifier.
    pub id: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// `rsa`, `ec` or `ed25519`, as far as it is known.
    pub kind: Option<String>,
    /// SHA-1 of its public half, as in certificates.
    pub identifier: Option<Vec<u8>>,
}

/// The usage that lets an issuer sign certificates.
pub const ISSUING: &str = "issuing-certificates";

impl Observed {
    /// Nothing but the server.
    pub fn of(server: Server) -> Self {
        Self {
            server,
            ..Self::default()
        }
    }

    /// The mount at `path`; an empty one if it was not looked at.
    pub fn mount(&self, path: &str) -> ObservedMount {
        self.mounts.get(path).cloned().unwrap_or_default()
    }

    /// What the issuer with this identifier has issued and is still valid.
    pub fn below(&self, id: &str) -> Vec<String> {
        self.below.get(id).cloned().unwrap_or_default()
    }
}

impl ObservedMount {
    /// The issuer of this name.
    pub fn named(&self, name: &str) -> Option<&ObservedIssuer> {
        self.issuers.iter().find(|issuer| issuer.name == name)
    }

    /// The issuer of this name or identifier.
    pub fn referred(&self, reference: &str) -> Option<&ObservedIssuer> {
        let by_id = || self.issuers.iter().find(|issuer| issuer.id == reference);
        self.named(reference).or_else(by_id)
    }

    /// The default issuer.
    pub fn default_issuer(&self) -> Option<&ObservedIssuer> {
        self.issuers.iter().find(|issuer| issuer.is_default)
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&ObservedKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl ObservedIssuer {
    /// How messages and other issuers call it.
    pub fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }

    /// Whether it may sign certificates.
    pub fn is_issuing(&self) -> bool {
        self.usage.iter().any(|usage| usage == ISSUING)
    }

    /// The certificate and all above it.
    pub fn chain(&self) -> Vec<Certificate> {
        std::iter::once(&self.certificate)
            .chain(&self.above)
            .cloned()
            .collect()
    }
}

/// Looks at the mounts of the task, and at what its states need besides.
pub fn observe(
    vault: &Vault,
    request: &Request,
    server: Server,
    now: Timestamp,
) -> Result<Observed, Failure> {
    let mut observed = Observed::of(server);
    for path in request.mounts() {
        observed.mounts.insert(path.to_owned(), mount(vault, path)?);
    }
    pending_keys(vault, request, &mut observed)?;
    let own = observed.mount(&request.mount);
    for wish in &request.authorities {
        if matches!(wish.base.state, State::Absent(WhenInUse::Refuse))
            && let Some(issuer) = own.named(wish.name().as_str())
        {
            let below = below::valid(vault, request, &own, issuer, now)?;
            observed.below.insert(issuer.id.clone(), below);
        }
        if let Some(path) = &wish.csr_path
            && let Some(found) = read_request(path)?
        {
            observed.requests.insert(wish.name().clone(), found);
        }
    }
    let uploads = |wish: &Wish| matches!(wish.base.state, State::Signed(_));
    if own.exists && request.authorities.iter().any(uploads) {
        observed.domains = roles::domains(vault, &request.mount)?;
    }
    observed.stored = issued::stored(vault, request)?;
    observed.lists = issued::lists(vault, request, &own)?;
    Ok(observed)
}

/// Where the server does not show the public half of a key that waits for its certificate, its request tells; to have it
/// made changes nothing.
fn pending_keys(vault: &Vault, request: &Request, observed: &mut Observed) -> Result<(), Failure> {
    let Some(own) = observed.mounts.get_mut(&request.mount) else {
        return Ok(());
    };
    let api = Mount::new(vault, &request.mount);
    let waiting = |name: &str| {
        let mut wishes = request.authorities.iter();
        wishes.any(|wish| {
            wish.key_name == name && matches!(wish.base.state, State::Csr | State::Signed(_))
        })
    };
    let unknown = own.keys.iter_mut().filter(|key| key.identifier.is_none());
    for key in unknown.filter(|key| waiting(&key.name)) {
        let what = || format!("make a request of key '{}'", key.name);
        let body = serde_json::json!({"common_name": key.name, "key_ref": key.id});
        let made = api
            .intermediate_existing(&body)
            .map_err(VaultFailure::server(what()))?;
        let made =
            CertificateRequest::from_pem(made.csr.as_bytes()).map_err(Failure::pki(what()))?;
        key.identifier = Some(made.public_key().key_identifier().to_vec());
    }
    Ok(())
}

/// Looks at one mount.
pub fn mount(vault: &Vault, path: &str) -> Result<ObservedMount, Failure> {
    let mut found = listed(vault, path)?;
    if found.exists {
        found.keys = keys(&Mount::new(vault, path), path)?;
        publish(&mut found);
    }
    Ok(found)
}

/// Older servers do not show the public half of a key; the certificate of an issuer that has it does.
fn publish(mount: &mut ObservedMount) {
    for key in mount.keys.iter_mut().filter(|key| key.identifier.is_none()) {
        let mut issuers = mount.issuers.iter();
        let of_key = issuers.find(|issuer| issuer.key_id.as_ref() == Some(&key.id));
        key.identifier =
            of_key.map(|issuer| issuer.certificate.public_key().key_identifier().to_vec());
    }
}

/// A mount without its keys.
fn listed(vault: &Vault, path: &str) -> Result<ObservedMount, Failure> {
    let mut found = ObservedMount::default();
    match vault.mount(path) {
        Ok(Some(info)) => {
            found.max_ttl = Some(info.max_lease_ttl()).filter(|ttl| *ttl > 0);
            found.default_ttl = Some(info.default_lease_ttl()).filter(|ttl| *ttl > 0);
        }
        Ok(None) => return Ok(found),
        // Most tokens may not see mounts; the list of issuers tells as well whether there is one.
        Err(::vault::Error::PermissionDenied { .. }) => {}
        Err(error) => {
            return Err(VaultFailure::server(format!("look at mount '{path}'"))(
                error,
            ));
        }
    }
    let api = Mount::new(vault, path);
    let entries = match api.issuers() {
        Ok(entries) => entries,
        Err(::vault::Error::NoMount { .. }) => return Ok(found),
        Err(error) => {
            return Err(VaultFailure::server(format!(
                "list the issuers of mount '{path}'"
            ))(error));
        }
    };
    found.exists = true;
    for entry in entries {
        if let Some(issuer) = issuer(&api, &entry)? {
            found.issuers.push(issuer);
        }
    }
    Ok(found)
}

/// One issuer; `None` if it went away meanwhile.
fn issuer(
    api: &Mount<'_>,
    entry: &::vault::pki::IssuerEntry,
) -> Result<Option<ObservedIssuer>, Failure> {
    let what = format!("read issuer '{}' of mount '{}'", entry.id, api.path());
    let Some(shown) = api.issuer(&entry.id).map_err(VaultFailure::server(what))? else {
        return Ok(None);
    };
    shown_issuer(shown, entry.is_default).map(Some)
}

/// What the server shows of an issuer, understood.
pub fn shown_issuer(
    shown: ::vault::pki::Issuer,
    is_default: bool,
) -> Result<ObservedIssuer, Failure> {
    let certificate = certificates(&shown.certificate, &shown.id)?;
    let certificate = certificate.into_iter().next().ok_or_else(|| {
        let found = "it is empty".to_owned();
        shown_badly(&shown.id)(chain::Error::NoCertificates { found })
    })?;
    let mut above = Vec::new();
    for pem in &shown.ca_chain {
        above.extend(certificates(pem, &shown.id)?);
    }
    above.retain(|each| *each != certificate);
    Ok(ObservedIssuer {
        certificate,
        above,
        is_default,
        key_id: Some(shown.key_id).filter(|id| !id.is_empty()),
        manual_chain: shown.manual_chain.unwrap_or_default(),
        usage: words(&shown.usage),
        leaf_not_after: shown.leaf_not_after_behavior,
        revoked: shown.revoked,
        id: shown.id,
        name: shown.name,
    })
}

/// `read-only,crl-signing` in the order of the alphabet.
pub fn words(usage: &str) -> Vec<String> {
    let each = usage.split(',').map(str::trim);
    let mut words: Vec<String> = each
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

fn certificates(pem: &str, id: &str) -> Result<Vec<Certificate>, Failure> {
    chain::parse_bundle(pem.as_bytes()).map_err(shown_badly(id))
}

fn shown_badly(id: &str) -> impl Fn(chain::Error) -> Failure {
    move |source| {
        VaultFailure::Shown {
            what: format!("certificate of issuer '{id}'"),
            source: Box::new(source),
        }
        .into()
    }
}

/// The keys, with what tells whether a certificate is of them.
fn keys(api: &Mount<'_>, path: &str) -> Result<Vec<ObservedKey>, Failure> {
    let entries = api.keys().map_err(VaultFailure::server(format!(
        "list the keys of mount '{path}'"
    )))?;
    let each = entries.into_iter().map(|entry| {
        let place = api.below(&format!("key/{}", entry.id));
        let what = format!("read key '{}' of mount '{path}'", entry.id);
        let shown = api
            .vault()
            .read(&place)
            .map_err(VaultFailure::server(what))?;
        let text = |member: &str| {
            let answer = shown.as_ref()?;
            answer.optional_text(member).map(str::to_owned)
        };
        Ok(ObservedKey {
            kind: text("key_type"),
            identifier: text("subject_key_id").and_then(|hex| bytes(&hex)),
            id: entry.id,
            name: entry.name.unwrap_or_default(),
        })
    });
    each.collect()
}

/// `25:1d:d9` as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.split(':');
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

impl ObservedKey {
    /// Whether this is its public half.
    pub fn is(&self, public: &PublicKey) -> bool {
        self.identifier.as_deref() == Some(public.key_identifier().as_slice())
    }
}
