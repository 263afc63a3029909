// SPDX-License-Identifier: Apache-2.0
//! Path building and verification: what an issuer returned becomes a verified set here.
//!
//! [`verify`] is the only maker of [`Verified`], and only a [`Verified`] can be installed. The path is
//! built and checked by our own code, because OpenSSL gives one error and not the way that failed; then
//! OpenSSL verifies the path that we found, and both must agree.
//!
//! Checked are: our public key, the wished names, every signature, every date, CA:TRUE, keyCertSign,
//! path lengths, name constraints and critical extensions (RFC 5280 §6.1). The extended key usage of a
//! CA certificate is not checked: RFC 5280 §4.2.1.12 gives it a meaning for the CA's own key only, that it
//! also limits what is below is a custom of browsers, and which purpose a service has is not known here
//! (one certificate often serves and connects). Key identifiers order the candidates and decide nothing.
//!
//! The result depends on the set of certificates only, not on their order. Hostile pools cost bounded
//! work: 1,000 certificates, paths of 16, 200 signature checks, 10,000 steps, 250,000 name comparisons.

mod constraints;
mod error;
mod node;
mod path;
mod pem;
mod second_opinion;

pub use error::{Error, Named};
pub use pem::parse_bundle;

use crate::{Certificate, PublicKey, SubjectAltNames, Timestamp};
use node::Node;
use path::{Goal, Search};

/// The result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Most certificates that a pool, or a set of roots, may hold.
pub const MAX_POOL: usize = 1_000;
/// Longest path, leaf and root included.
pub const MAX_DEPTH: usize = 16;
/// How many certificates for our key are tried when the pool holds several.
const MAX_LEAVES: usize = 8;

/// Where a chain must end.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// In one of these self-signed certificates; others among them only help to build the path.
    Roots(&'a [Certificate]),
    /// In a self-signed certificate that is in the pool.
    SelfContained,
    /// As far as the pool goes; a leaf alone is fine.
    Partial,
}

/// What the certificate must be.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The key for which we asked.
    pub public_key: &'a PublicKey,
    /// Names that the leaf must have; it may have more.
    pub names: Option<&'a SubjectAltNames>,
    /// Where the chain must end.
    pub trust: Trust<'a>,
    /// The instant at which everything must be valid.
    pub now: Timestamp,
}

/// A leaf with its chain that has passed every check. Made by [`verify`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    root: Option<Certificate>,
}

impl Verified {
    /// The certificate with our public key.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The leaf's issuer first, the root not among them.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// The self-signed end of the chain; `None` only under [`Trust::Partial`]. The leaf itself if that
    /// is self-signed.
    pub fn root(&self) -> Option<&Certificate> {
        self.root.as_ref()
    }

    /// Whether the leaf is its own root.
    pub fn is_self_signed(&self) -> bool {
        self.root.as_ref() == Some(&self.leaf)
    }

    /// The intermediates, then the root unless it is the leaf.
    pub fn above(&self) -> impl Iterator<Item = &Certificate> {
        let root = self.root.as_ref().filter(|root| **root != self.leaf);
        self.intermediates.iter().chain(root)
    }
}

/// A CA certificate with its chain up to a self-signed root that has passed every check. Made by
/// [`verify_authority`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAuthority {
    path: Verified,
}

impl VerifiedAuthority {
    /// The CA certificate with our public key.
    pub fn certificate(&self) -> &Certificate {
        self.path.leaf()
    }

    /// The CA's issuer first, the root not among them.
    pub fn intermediates(&self) -> &[Certificate] {
        self.path.intermediates()
    }

    /// The self-signed end of the chain; the CA itself if it is a root.
    pub fn root(&self) -> &Certificate {
        self.path.root().unwrap_or(&self.path.leaf)
    }

    /// Everything above the CA, root last, as [`Authority::new`](crate::Authority::new) takes it; empty for a root.
    pub fn chain(&self) -> Vec<Certificate> {
        self.path.above().cloned().collect()
    }
}

/// Finds the certificate of our key in a pool in any order, builds its chain and checks both.
///
/// Duplicates and unrelated certificates do no harm. If several certificates have our key, an issued one
/// goes before a self-signed one, one with all names before one without, a later one before an earlier.
///
/// # Errors
/// The reason why the path that got farthest failed, with the certificate at which it did.
pub fn verify(pool: Vec<Certificate>, expectation: &Expectation<'_>) -> Result<Verified> {
    let nodes = nodes_of(pool, expectation.trust)?;
    let leaves = leaves(&nodes, expectation)?;
    let goal = match expectation.trust {
        Trust::Roots(_) => Goal::Trusted,
        Trust::SelfContained => Goal::SelfSigned,
        Trust::Partial => Goal::Farthest,
    };
    let mut first_error = None;
    for leaf in leaves {
        match verify_leaf(&nodes, leaf, goal, expectation) {
            Ok(verified) => return Ok(verified),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(Error::NoMatchingKey { found: Vec::new() }))
}

/// Verifies the certificate of a CA of ours, as it came back from the CA above.
///
/// Besides what [`verify`] checks: CA:TRUE, keyCertSign, a chain to a self-signed root in the pool, key
/// identifiers that fit, permitted names which have something in common with those permitted above. With
/// `virtual_leaf` the path lengths above must leave room for a certificate below this one.
///
/// # Errors
/// As [`verify`].
pub fn verify_authority(
    pool: Vec<Certificate>,
    public_key: &PublicKey,
    now: Timestamp,
    virtual_leaf: bool,
) -> Result<VerifiedAuthority> {
    let expectation = Expectation {
        public_key,
        names: None,
        trust: Trust::SelfContained,
        now,
    };
    let nodes = nodes_of(pool, expectation.trust)?;
    let mut first_error = None;
    for candidate in leaves(&nodes, &expectation)? {
        match verify_candidate(&nodes, candidate, now, virtual_leaf) {
            Ok(path) => return Ok(VerifiedAuthority { path }),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(Error::NoMatchingKey { found: Vec::new() }))
}

fn verify_leaf(
    nodes: &[Node],
    leaf: usize,
    goal: Goal,
    expectation: &Expectation<'_>,
) -> Result<Verified> {
    let node = &nodes[leaf];
    node.check_extensions()?;
    node.check_dates(expectation.now)?;
    check_names(node, expectation.names)?;
    let path = Search::new(nodes, goal, expectation.now, false).run(leaf)?;
    finish(nodes, &path, expectation.now)
}

fn verify_candidate(
    nodes: &[Node],
    candidate: usize,
    now: Timestamp,
    virtual_leaf: bool,
) -> Result<Verified> {
    let node = &nodes[candidate];
    node.check_extensions()?;
    node.check_dates(now)?;
    node.check_authority()?;
    let path = Search::new(nodes, Goal::SelfSigned, now, virtual_leaf).run(candidate)?;
    for pair in path.windows(2) {
        check_key_identifiers(&nodes[pair[0]], &nodes[pair[1]])?;
    }
    for above in &path[1..] {
        check_common_names(node, &nodes[*above])?;
    }
    finish(nodes, &path, now)
}

fn check_names(leaf: &Node, wished: Option<&SubjectAltNames>) -> Result<()> {
    let missing = missing_names(leaf, wished);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::MissingNames {
        certificate: leaf.named(),
        missing,
    })
}

fn missing_names(leaf: &Node, wished: Option<&SubjectAltNames>) -> Vec<String> {
    let Some(wished) = wished else {
        return Vec::new();
    };
    let missing = wished.missing_from(&leaf.certificate.facts().names);
    let mut shown: Vec<String> = missing.dns.iter().map(ToString::to_string).collect();
    shown.extend(missing.ip.iter().map(ToString::to_string));
    shown.extend(missing.email.iter().map(ToString::to_string));
    shown.extend(missing.uri.iter().map(ToString::to_string));
    shown.extend(missing.other.iter().map(|name| name.value_utf8.clone()));
    shown
}

/// RFC 5280 §4.2.1.1 wants them equal; a difference means that the file came from another generation of
/// the CA above, which clients that choose issuers by key identifier will not find.
fn check_key_identifiers(below: &Node, issuer: &Node) -> Result<()> {
    match (below.authority_key(), issuer.subject_key()) {
        (Some(wanted), Some(have)) if wanted != have => Err(Error::KeyIdentifier {
            certificate: below.named(),
            issuer: issuer.named(),
        }),
        _ => Ok(()),
    }
}

fn check_common_names(below: &Node, above: &Node) -> Result<()> {
    let (Some(inner), Some(outer)) = (&below.constraints, &above.constraints) else {
        return Ok(());
    };
    match inner.disjoint_form(outer) {
        Some(form) => Err(Error::DisjointConstraints {
            certificate: below.named(),
            authority: above.named(),
            form,
        }),
        None => Ok(()),
    }
}

/// The second opinion, then the token.
fn finish(nodes: &[Node], path: &[usize], now: Timestamp) -> Result<Verified> {
    second_opinion::ask(nodes, path, now)?;
    let mut certificates: Vec<Certificate> = path
        .iter()
        .map(|index| nodes[*index].certificate.clone())
        .collect();
    let complete = path.last().is_some_and(|end| nodes[*end].is_self_signed());
    let root = if complete { certificates.pop() } else { None };
    let Some(leaf) = certificates.first().or(root.as_ref()).cloned() else {
        return Err(Error::NoMatchingKey { found: Vec::new() });
    };
    Ok(Verified {
        leaf,
        intermediates: certificates.drain(..).skip(1).collect(),
        root,
    })
}

/// The pool and what trust adds to it, without duplicates, in an order that depends on content only.
fn nodes_of(pool: Vec<Certificate>, trust: Trust<'_>) -> Result<Vec<Node>> {
    let roots: &[Certificate] = match trust {
        Trust::Roots(roots) => roots,
        Trust::SelfContained | Trust::Partial => &[],
    };
    for count in [pool.len(), roots.len()] {
        if count > MAX_POOL {
            let limit = MAX_POOL;
            return Err(Error::TooManyCertificates { count, limit });
        }
    }
    if pool.is_empty() {
        let found = "the pool is empty".to_owned();
        return Err(Error::NoCertificates { found });
    }
    let mut marked: Vec<(Certificate, bool)> = roots.iter().map(|c| (c.clone(), true)).collect();
    marked.extend(pool.into_iter().map(|certificate| (certificate, false)));
    marked.sort_by(|a, b| a.0.der().cmp(b.0.der()).then(b.1.cmp(&a.1)));
    marked.dedup_by(|later, first| later.0 == first.0);
    let nodes: Vec<Node> = marked
        .into_iter()
        .map(|(certificate, given)| Node::new(certificate, given))
        .collect::<Result<_>>()?;
    if matches!(trust, Trust::Roots(_)) && !nodes.iter().any(Node::is_trusted) {
        let given = roots.len();
        return Err(Error::NoRoots { given });
    }
    Ok(nodes)
}

/// The certificates with our key, best first.
fn leaves(nodes: &[Node], expectation: &Expectation<'_>) -> Result<Vec<usize>> {
    let mut ours: Vec<usize> = (0..nodes.len())
        .filter(|index| nodes[*index].certificate.public_key() == expectation.public_key)
        .collect();
    if ours.is_empty() {
        let found = nodes.iter().take(8).map(Node::named).collect();
        return Err(Error::NoMatchingKey { found });
    }
    // A self-signed one beside an issued one is the placeholder from before; to fall back to it when
    // the issued one fails would hide the failure.
    if ours.iter().any(|index| !nodes[*index].is_self_signed()) {
        ours.retain(|index| !nodes[*index].is_self_signed());
    }
    ours.sort_by_cached_key(|index| {
        let node = &nodes[*index];
        let facts = node.certificate.facts();
        (
            !missing_names(node, expectation.names).is_empty(),
            node.check_dates(expectation.now).is_err(),
            std::cmp::Reverse(facts.not_before),
            *index,
        )
    });
    ours.truncate(MAX_LEAVES);
    Ok(ours)
}
