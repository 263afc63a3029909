// SPDX-License-Identifier: Apache-2.0
//! Who signed what: the authorities above the certificates of a fleet, as trees.

use std::collections::HashMap;

use crate::{Certificate, Moment, Row};

/// The authorities of a fleet, roots first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorities {
    nodes: Vec<Authority>,
    known: HashMap<String, usize>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// Its subject.
    pub(crate) subject: String,
    /// When it ends, if somebody showed it.
    pub(crate) not_after: Option<Moment>,
    /// What is known of it.
    pub(crate) kind: Kind,
    /// Numbers of the rows whose certificates it signed.
    pub(crate) leaves: Vec<usize>,
    /// Below it, in the order of their subjects.
    pub(crate) children: Vec<usize>,
    parent: Option<usize>,
}

/// What is known of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A root that the host of the check trusts.
    Trusted,
    /// Somebody showed it.
    Shown,
    /// Certificates name it, and nobody showed it.
    Unseen,
    /// No authority: certificates that signed themselves.
    SelfSigned,
}

impl Authorities {
    /// Those above the certificates of the rows.
    pub(crate) fn above(rows: &[Row<'_>]) -> Self {
        let mut all = Self::default();
        for (number, row) in rows.iter().enumerate() {
            all.add(number, row);
        }
        all.name_unseen();
        for at in 0..all.nodes.len() {
            if let Some(parent) = all.nodes[at].parent {
                all.nodes[parent].children.push(at);
            }
        }
        let subjects: Vec<String> = all.nodes.iter().map(|node| node.subject.clone()).collect();
        for node in &mut all.nodes {
            node.children
                .sort_by(|a, b| subjects[*a].cmp(&subjects[*b]));
        }
        all
    }

    /// What one row lacks another may show: whose name is that of one authority that was shown is that one.
    fn name_unseen(&mut self) {
        let mut shown = HashMap::<String, Vec<usize>>::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if matches!(node.kind, Kind::Trusted | Kind::Shown) {
                shown.entry(node.subject.clone()).or_default().push(at);
            }
        }
        for at in 0..self.nodes.len() {
            let (Kind::Unseen, Some([one])) = (
                self.nodes[at].kind,
                shown.get(&self.nodes[at].subject).map(Vec::as_slice),
            ) else {
                continue;
            };
            let leaves = std::mem::take(&mut self.nodes[at].leaves);
            self.nodes[*one].leaves.extend(leaves);
            for child in 0..self.nodes.len() {
                if self.nodes[child].parent == Some(at) {
                    self.nodes[child].parent = None;
                    self.set_parent(child, *one);
                }
            }
        }
        for node in &mut self.nodes {
            node.leaves.sort_unstable();
        }
    }

    /// The tops of the trees: trusted roots first, then by subject.
    pub(crate) fn tops(&self) -> Vec<usize> {
        let mut tops: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].parent.is_none() && self.weight(*at) > 0)
            .collect();
        tops.sort_by_key(|at| (self.nodes[*at].kind.order(), &self.nodes[*at].subject));
        tops
    }

    /// One of them.
    pub(crate) fn at(&self, number: usize) -> &Authority {
        &self.nodes[number]
    }

    /// How many somebody showed or trusts, of those that are above a row.
    pub(crate) fn len(&self) -> usize {
        let known = |at: &usize| matches!(self.nodes[*at].kind, Kind::Trusted | Kind::Shown);
        (0..self.nodes.len())
            .filter(known)
            .filter(|at| self.weight(*at) > 0)
            .count()
    }

    /// How many rows are below it, its own and its children's.
    pub(crate) fn weight(&self, number: usize) -> usize {
        self.below(number).len()
    }

    /// The numbers of the rows below it.
    pub(crate) fn below(&self, number: usize) -> Vec<usize> {
        let node = &self.nodes[number];
        let mut all = node.leaves.clone();
        for child in &node.children {
            all.extend(self.below(*child));
        }
        all
    }

    fn add(&mut self, number: usize, row: &Row<'_>) {
        let Some(leaf) = row.leaf() else { return };
        let at = self.issuer_of(leaf, row);
        self.nodes[at].leaves.push(number);
    }

    /// The node of whoever signed the certificate, and of all above it that the row shows. The order of a chain does
    /// not matter, and a chain that leads to itself ends where it would.
    fn issuer_of(&mut self, leaf: &Certificate, row: &Row<'_>) -> usize {
        let mut below = leaf;
        let mut first = None;
        let mut last: Option<usize> = None;
        for _ in 0..=row.chain().len() {
            let above = self.node_above(below, row);
            if let Some(child) = last {
                self.set_parent(child, above.0);
            }
            first = first.or(Some(above.0));
            last = Some(above.0);
            match above.1 {
                Some(certificate) => below = certificate,
                None => break,
            }
        }
        // The loop ran at least once.
        first.unwrap_or_default()
    }

    /// The issuer of a certificate, and its own certificate if it has somebody above it that may be known.
    fn node_above<'a>(
        &mut self,
        below: &Certificate,
        row: &Row<'a>,
    ) -> (usize, Option<&'a Certificate>) {
        let anchor = trusted_by(row).filter(|anchor| anchor.subject == below.issuer);
        let shown = row.chain().iter().find(|one| {
            one.subject == below.issuer && one.fingerprint_sha256 != below.fingerprint_sha256
        });
        if let Some(anchor) = anchor {
            let node = self.node(&anchor.fingerprint_sha256, &anchor.subject, Kind::Trusted);
            self.nodes[node].not_after = Some(anchor.not_after);
            return (node, None);
        }
        if let Some(shown) = shown {
            let node = self.node(&shown.fingerprint_sha256, &shown.subject, Kind::Shown);
            self.nodes[node].not_after = Some(shown.not_after);
            let further = (shown.subject != shown.issuer).then_some(shown);
            return (node, further);
        }
        if below.subject == below.issuer {
            return (self.node("self", "Self-signed", Kind::SelfSigned), None);
        }
        let name = format!("unseen {}", below.issuer);
        (self.node(&name, &below.issuer, Kind::Unseen), None)
    }

    fn node(&mut self, key: &str, subject: &str, kind: Kind) -> usize {
        if let Some(known) = self.known.get(key) {
            if kind == Kind::Trusted {
                self.nodes[*known].kind = kind;
            }
            return *known;
        }
        self.known.insert(key.to_owned(), self.nodes.len());
        self.nodes.push(Authority {
            subject: subject.to_owned(),
            not_after: None,
            kind,
            leaves: Vec::new(),
            children: Vec::new(),
            parent: None,
        });
        self.nodes.len() - 1
    }

    /// Puts one below another, unless it has a parent that was shown, or the other is below it already.
    fn set_parent(&mut self, child: usize, parent: usize) {
        let old = self.nodes[child].parent;
        if old.is_some_and(|old| self.nodes[old].kind != Kind::Unseen) {
            return;
        }
        let mut up = Some(parent);
        while let Some(at) = up {
            if at == child {
                return;
            }
            up = self.nodes[at].parent;
        }
        self.nodes[child].parent = Some(parent);
    }
}

fn trusted_by<'a>(row: &Row<'a>) -> Option<&'a crate::Anchor> {
    match row.place {
        crate::Place::Endpoint(endpoint) => endpoint.trusted_by.as_ref(),
        crate::Place::File(file) => file.trusted_by.as_ref(),
    }
}

impl Kind {
    fn order(self) -> u8 {
        match self {
            Self::Trusted => 0,
            Self::Shown => 1,
            Self::Unseen => 2,
            Self::SelfSigned => 3,
        }
    }
}

#[cfg(test)]
mod tests;
