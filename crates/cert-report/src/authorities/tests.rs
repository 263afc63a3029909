// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::{Anchor, Endpoint, Fleet, Report};

fn certificate(subject: &str, issuer: &str) -> Certificate {
    Certificate {
        subject: subject.into(),
        issuer: issuer.into(),
        fingerprint_sha256: format!("{subject} by {issuer}"),
        ..Certificate::default()
    }
}

fn fleet(chains: Vec<(Vec<Certificate>, Option<&str>)>) -> Fleet {
    let mut report = Report::new("a", Moment(0));
    for (chain, root) in chains {
        let trusted_by = root.map(|root| Anchor {
            subject: root.into(),
            fingerprint_sha256: format!("{root} by {root}"),
            not_after: Moment(7),
        });
        report.endpoints.push(Endpoint {
            chain,
            trusted_by,
            ..Endpoint::default()
        });
    }
    Fleet::of([report])
}

/// The trees as text: `Root!(Intermediate(2))`, `!` for trusted and `?` for never seen.
fn drawn(fleet: &Fleet) -> String {
    fn draw(all: &Authorities, at: usize) -> String {
        let node = all.at(at);
        let mark = match node.kind {
            Kind::Trusted => "!",
            Kind::Shown => "",
            Kind::Unseen => "?",
            Kind::SelfSigned => "~",
        };
        let mut inner: Vec<String> = node
            .children
            .iter()
            .map(|child| draw(all, *child))
            .collect();
        if !node.leaves.is_empty() {
            inner.push(node.leaves.len().to_string());
        }
        format!("{}{mark}({})", node.subject, inner.join(" "))
    }
    let rows = fleet.rows();
    let all = Authorities::above(&rows);
    all.tops()
        .into_iter()
        .map(|at| draw(&all, at))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn certificates_hang_below_their_authorities() {
    let chain = |leaf: &str| vec![certificate(leaf, "I"), certificate("I", "R")];
    let fleet = fleet(vec![
        (chain("a"), Some("R")),
        (chain("b"), Some("R")),
        (vec![certificate("c", "R")], Some("R")),
    ]);
    assert_eq!(drawn(&fleet), "R!(I(2) 1)");
}

#[test]
fn the_order_of_a_chain_does_not_matter() {
    let chain = vec![
        certificate("a", "I2"),
        certificate("I1", "R"),
        certificate("I2", "I1"),
    ];
    assert_eq!(drawn(&fleet(vec![(chain, Some("R"))])), "R!(I1(I2(1)))");
}

#[test]
fn an_authority_that_nobody_showed_is_named() {
    assert_eq!(
        drawn(&fleet(vec![(vec![certificate("a", "I")], None)])),
        "I?(1)"
    );
    let chain = vec![certificate("a", "I"), certificate("I", "R")];
    assert_eq!(drawn(&fleet(vec![(chain, None)])), "R?(I(1))");
}

#[test]
fn what_one_row_lacks_another_shows() {
    let chain = || vec![certificate("a", "I"), certificate("I", "R")];
    assert_eq!(
        drawn(&fleet(vec![(chain(), None), (chain(), Some("R"))])),
        "R!(I(2))"
    );
}

#[test]
fn a_leaf_alone_hangs_below_the_authority_that_others_show() {
    let chain = vec![certificate("a", "I"), certificate("I", "R")];
    let alone = vec![certificate("b", "I")];
    let fleet = fleet(vec![(alone, None), (chain, Some("R"))]);
    assert_eq!(drawn(&fleet), "R!(I(2))");
    assert_eq!(Authorities::above(&fleet.rows()).len(), 2);
}

#[test]
fn of_two_authorities_of_one_name_a_leaf_alone_chooses_none() {
    let one = vec![certificate("a", "I"), certificate("I", "R")];
    let other = vec![certificate("b", "I"), certificate("I", "S")];
    let alone = vec![certificate("c", "I")];
    let fleet = fleet(vec![(one, None), (other, None), (alone, None)]);
    assert_eq!(drawn(&fleet), "I?(1) R?(I(1)) S?(I(1))");
}

#[test]
fn a_certificate_that_signed_itself_has_no_authority() {
    assert_eq!(
        drawn(&fleet(vec![(vec![certificate("a", "a")], None)])),
        "Self-signed~(1)"
    );
    let shown = vec![certificate("a", "R"), certificate("R", "R")];
    assert_eq!(drawn(&fleet(vec![(shown, None)])), "R(1)");
}

#[test]
fn authorities_that_sign_each_other_end() {
    let chain = vec![
        certificate("a", "A"),
        certificate("A", "B"),
        certificate("B", "A"),
    ];
    assert_eq!(drawn(&fleet(vec![(chain, None)])), "B(A(1))");
    let turned = vec![
        certificate("b", "B"),
        certificate("B", "A"),
        certificate("A", "B"),
    ];
    let both = fleet(vec![
        (
            vec![
                certificate("a", "A"),
                certificate("A", "B"),
                certificate("B", "A"),
            ],
            None,
        ),
        (turned, None),
    ]);
    assert_eq!(drawn(&both), "B(A(1) 1)");
}

#[test]
fn all_below_an_authority_are_counted() {
    let chain = |leaf: &str| vec![certificate(leaf, "I"), certificate("I", "R")];
    let direct = (vec![certificate("c", "R")], Some("R"));
    let fleet = fleet(vec![
        (chain("a"), Some("R")),
        (chain("b"), Some("R")),
        direct,
    ]);
    let rows = fleet.rows();
    let all = Authorities::above(&rows);
    let mut below = all.below(all.tops()[0]);
    below.sort_unstable();
    assert_eq!(below, [0, 1, 2]);
}
