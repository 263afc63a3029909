// SPDX-License-Identifier: Apache-2.0
//! The search for a path from a leaf to where trust ends: depth first, with bounded work.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::node::Node;
use super::{Error, MAX_DEPTH, Result};
use crate::Timestamp;

/// Signature checks per search. Go's crypto/x509 stops at 100; pools with many CAs of one name need more.
const MAX_SIGNATURES: usize = 200;
const MAX_STEPS: usize = 10_000;
const MAX_COMPARISONS: usize = 250_000;

/// Where a path may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A self-signed certificate that was given as a root.
    Trusted,
    /// Any self-signed certificate.
    SelfSigned,
    /// A self-signed certificate if one can be reached, else where the pool ends.
    Farthest,
}

/// What is left of the bounds.
struct Budget {
    signatures: usize,
    steps: usize,
    comparisons: usize,
}

fn spend(left: &mut usize, count: usize, limit: usize, what: &str) -> Result<()> {
    *left = left.checked_sub(count).ok_or_else(|| Error::WorkExceeded {
        what: format!("the limit of {limit} {what}"),
    })?;
    Ok(())
}

/// One search. Create, [`run`](Self::run) once.
pub(super) struct Search<'a> {
    nodes: &'a [Node],
    by_subject: HashMap<u32, Vec<usize>>,
    goal: Goal,
    now: Timestamp,
    /// Whether the start counts as an intermediate because a certificate will hang below it.
    virtual_leaf: bool,
    budget: Budget,
    signed_by: HashMap<(usize, usize), bool>,
    /// The failure of the path that got farthest: its length, its weight, the error.
    failure: Option<(usize, u8, Error)>,
    /// The longest path that ended only because the pool did.
    farthest: Option<Vec<usize>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(nodes: &'a [Node], goal: Goal, now: Timestamp, virtual_leaf: bool) -> Self {
        let mut by_subject: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            by_subject
                .entry(node.subject_hash())
                .or_default()
                .push(index);
        }
        Self {
            nodes,
            by_subject,
            goal,
            now,
            virtual_leaf,
            budget: Budget {
                signatures: MAX_SIGNATURES,
                steps: MAX_STEPS,
                comparisons: MAX_COMPARISONS,
            },
            signed_by: HashMap::new(),
            failure: None,
            farthest: None,
        }
    }

    /// The path from `leaf` up, both ends included.
    pub(super) fn run(mut self, leaf: usize) -> Result<Vec<usize>> {
        let mut path = vec![leaf];
        if self.extend(&mut path)? {
            return Ok(path);
        }
        if let Some(path) = self.farthest {
            return Ok(path);
        }
        let named = || self.nodes[leaf].named();
        Err(self.failure.map_or_else(
            || Error::UntrustedRoot { root: named() },
            |(_, _, error)| error,
        ))
    }

    /// Tries every issuer of the path's end, best first; true when `path` has reached the goal.
    fn extend(&mut self, path: &mut Vec<usize>) -> Result<bool> {
        spend(&mut self.budget.steps, 1, MAX_STEPS, "steps")?;
        let Some(tip) = path.last().copied() else {
            return Ok(false);
        };
        let node = &self.nodes[tip];
        if self.is_goal(node) {
            return Ok(true);
        }
        if path.len() == MAX_DEPTH {
            self.note(
                path.len(),
                2,
                Error::WorkExceeded {
                    what: format!("a path length of {MAX_DEPTH} certificates"),
                },
            );
            return Ok(false);
        }
        let mut issuer_is_there = false;
        for candidate in self.candidates(path) {
            if !self.is_signed_by(tip, candidate)? {
                self.note_signature(path, candidate);
                continue;
            }
            issuer_is_there = true;
            if let Err(error) = self.check_above(path, candidate) {
                if matches!(error, Error::WorkExceeded { .. }) {
                    return Err(error);
                }
                self.note(path.len(), 2, error);
                continue;
            }
            path.push(candidate);
            if self.extend(path)? {
                return Ok(true);
            }
            path.pop();
        }
        if !issuer_is_there {
            self.note_end(path);
        }
        Ok(false)
    }

    fn is_goal(&self, node: &Node) -> bool {
        match self.goal {
            Goal::Trusted => node.is_trusted(),
            Goal::SelfSigned | Goal::Farthest => node.is_self_signed(),
        }
    }

    /// As [`Self::is_goal`] without a signature check, for the order only.
    fn looks_like_goal(&self, node: &Node) -> bool {
        match self.goal {
            Goal::Trusted => node.is_given_as_root(),
            Goal::SelfSigned | Goal::Farthest => node.is_self_issued(),
        }
    }

    /// Certificates with the issuer's name that are not in the path yet. Those whose key identifier fits
    /// first, then roots, then those that last longest; then by content, so that the order of the pool plays
    /// no part.
    fn candidates(&self, path: &[usize]) -> Vec<usize> {
        let Some(tip) = path.last().map(|index| &self.nodes[*index]) else {
            return Vec::new();
        };
        let same_name = self.by_subject.get(&tip.issuer_hash());
        let mut found: Vec<usize> = same_name
            .into_iter()
            .flatten()
            .copied()
            .filter(|index| {
                let node = &self.nodes[*index];
                tip.may_be_issued_by(node)
                    && !path.iter().any(|p| self.nodes[*p].is_same_entity(node))
            })
            .collect();
        found.sort_by_cached_key(|index| {
            let node = &self.nodes[*index];
            (
                !hint_fits(tip, node),
                !self.looks_like_goal(node),
                Reverse(node.certificate.facts().not_after),
                *index,
            )
        });
        found
    }

    fn is_signed_by(&mut self, below: usize, above: usize) -> Result<bool> {
        if let Some(known) = self.signed_by.get(&(below, above)) {
            return Ok(*known);
        }
        let left = &mut self.budget.signatures;
        spend(left, 1, MAX_SIGNATURES, "signature checks")?;
        let signed = self.nodes[below].is_signed_by(&self.nodes[above]);
        self.signed_by.insert((below, above), signed);
        Ok(signed)
    }

    /// What a CA certificate must be to stand above `path` (RFC 5280 §6.1.3, §6.1.4).
    fn check_above(&mut self, path: &[usize], candidate: usize) -> Result<()> {
        let node = &self.nodes[candidate];
        node.check_extensions()?;
        node.check_dates(self.now)?;
        node.check_authority()?;
        self.check_path_length(path, node)?;
        self.check_constraints(path, node)
    }

    /// RFC 5280 §4.2.1.9: self-issued certificates are not counted, nor is the last certificate.
    fn check_path_length(&self, path: &[usize], authority: &Node) -> Result<()> {
        let Some(allowed) = authority.path_length() else {
            return Ok(());
        };
        let counted = if self.virtual_leaf { path } else { &path[1..] };
        let below = counted
            .iter()
            .filter(|index| !self.nodes[**index].is_self_issued());
        let found = u32::try_from(below.count()).unwrap_or(u32::MAX);
        if found <= allowed {
            return Ok(());
        }
        Err(Error::PathLength {
            certificate: authority.named(),
            allowed,
            found,
        })
    }

    /// RFC 5280 §6.1.3 (b), (c): constraints pass by self-issued certificates other than the last.
    fn check_constraints(&mut self, path: &[usize], authority: &Node) -> Result<()> {
        let Some(subtrees) = &authority.constraints else {
            return Ok(());
        };
        for (position, index) in path.iter().enumerate() {
            let node = &self.nodes[*index];
            if position > 0 && node.is_self_issued() {
                continue;
            }
            let work = node.names.len().saturating_mul(subtrees.len());
            let left = &mut self.budget.comparisons;
            spend(left, work, MAX_COMPARISONS, "name comparisons")?;
            if let Some(violation) = node.names.iter().find_map(|name| subtrees.violation(name)) {
                return Err(Error::NameConstraint {
                    certificate: node.named(),
                    authority: authority.named(),
                    violation,
                });
            }
        }
        Ok(())
    }

    /// A root has no issuer but itself: that another root has its name is no fault of its signature.
    fn note_signature(&mut self, path: &[usize], candidate: usize) {
        let tip = path.last().map(|index| &self.nodes[*index]);
        if let Some(tip) = tip.filter(|tip| !tip.is_self_signed()) {
            let error = Error::Signature {
                certificate: tip.named(),
                issuer: self.nodes[candidate].named(),
            };
            self.note(path.len(), 1, error);
        }
    }

    /// The path ended and no issuer is there.
    fn note_end(&mut self, path: &[usize]) {
        let Some(tip) = path.last().map(|index| &self.nodes[*index]) else {
            return;
        };
        if self.goal == Goal::Farthest {
            if self
                .farthest
                .as_ref()
                .is_none_or(|known| known.len() < path.len())
            {
                self.farthest = Some(path.to_vec());
            }
            return;
        }
        let error = if tip.is_self_signed() {
            Error::UntrustedRoot { root: tip.named() }
        } else {
            Error::IssuerMissing {
                certificate: tip.named(),
                issuer: tip.certificate.facts().issuer.to_string(),
            }
        };
        self.note(path.len(), 0, error);
    }

    /// Keeps the failure of the longest path; at the same length the one that says more.
    fn note(&mut self, length: usize, weight: u8, error: Error) {
        let known = self
            .failure
            .as_ref()
            .map(|(length, weight, _)| (*length, *weight));
        if known.is_none_or(|known| known < (length, weight)) {
            self.failure = Some((length, weight, error));
        }
    }
}

/// Whether the key identifiers do not contradict: a hint for the order, because CAs reissue
/// certificates with other identifiers.
fn hint_fits(below: &Node, issuer: &Node) -> bool {
    match (below.authority_key(), issuer.subject_key()) {
        (Some(wanted), Some(have)) => wanted == have,
        _ => true,
    }
}
