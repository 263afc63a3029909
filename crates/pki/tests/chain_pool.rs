// SPDX-License-Identifier: Apache-2.0
//! The way from the leaf to a trusted root through a pool of certificates in any order.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use pki::Certificate;
use pki::chain::{Error, Trust, verify};
use proptest::prelude::*;
use support::judges::chain_of;
use support::{DAY, Entity, Family, NOW, Profile, ca, expect, issue, leaf};

#[test]
fn a_missing_issuer_is_named() {
    let family = Family::new();
    let pool = vec![family.leaf.clone(), family.root_certificate.clone()];
    let error = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::IssuerMissing { issuer, .. } if issuer.contains("Intermediate")),
        "{error}"
    );
}

#[test]
fn roots_are_trusted_only_when_they_are_given() {
    let family = Family::new();
    let other = Family::new();
    let roots = [family.root_certificate.clone()];
    let pool = vec![family.leaf.clone(), family.intermediate_certificate.clone()];
    let verified = verify(pool, &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let strangers = [other.root_certificate];
    let error = verify(
        family.pool(),
        &expect(&family.leaf, Trust::Roots(&strangers)),
    )
    .unwrap_err();
    assert!(matches!(error, Error::UntrustedRoot { .. }), "{error}");
    let intermediates = [family.intermediate_certificate.clone()];
    let error = verify(
        family.pool(),
        &expect(&family.leaf, Trust::Roots(&intermediates)),
    )
    .unwrap_err();
    assert!(matches!(error, Error::NoRoots { given: 1 }), "{error}");
}

#[test]
fn partial_trust_goes_as_far_as_the_pool_goes() {
    let family = Family::new();
    let alone = vec![family.leaf.clone()];
    let verified = verify(alone, &expect(&family.leaf, Trust::Partial)).unwrap();
    assert!(verified.intermediates().is_empty() && verified.root().is_none());
    let two = vec![family.intermediate_certificate.clone(), family.leaf.clone()];
    let verified = verify(two, &expect(&family.leaf, Trust::Partial)).unwrap();
    assert_eq!(
        verified.intermediates(),
        std::slice::from_ref(&family.intermediate_certificate)
    );
    assert!(verified.root().is_none());
    let verified = verify(family.pool(), &expect(&family.leaf, Trust::Partial)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let expired = chain_of(&ca(), &ca().dates(NOW.0 - 9 * DAY, NOW.0 - DAY), &leaf());
    let error = verify(expired[..2].to_vec(), &expect(&expired[0], Trust::Partial)).unwrap_err();
    assert!(matches!(error, Error::Expired { .. }), "{error}");
}

#[test]
fn a_self_signed_leaf_is_its_own_root() {
    let service = Entity::new("api.example.com");
    let own = issue(&service, &service, &leaf());
    let verified = verify(vec![own.clone()], &expect(&own, Trust::SelfContained)).unwrap();
    assert!(verified.is_self_signed());
    assert_eq!(verified.root(), Some(&own));
    assert!(verified.intermediates().is_empty());
    assert_eq!(verified.above().count(), 0);
    let other = Family::new();
    let roots = [other.root_certificate];
    let error = verify(vec![own.clone()], &expect(&own, Trust::Roots(&roots))).unwrap_err();
    assert!(matches!(error, Error::UntrustedRoot { .. }), "{error}");
}

#[test]
fn a_placeholder_does_not_stand_in_for_an_issued_certificate_that_fails() {
    let family = Family::new();
    let placeholder = issue(&family.service, &family.service, &leaf());
    let pool = vec![placeholder, family.leaf.clone()];
    let error = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::IssuerMissing { .. }), "{error}");
}

#[test]
fn of_several_leaves_the_one_with_our_key_is_taken() {
    let family = Family::new();
    let neighbour = Entity::new("other.example.com");
    let mut pool = family.pool();
    pool.insert(
        0,
        issue(&neighbour, &family.intermediate, &leaf().serial(7)),
    );
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.leaf(), &family.leaf);
    let renewed = issue(
        &family.service,
        &family.intermediate,
        &leaf().serial(8).dates(NOW.0 - 60, NOW.0 + 60 * DAY),
    );
    pool.push(renewed.clone());
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.leaf(), &renewed);
    let stranger = Family::new().leaf;
    let error = verify(pool, &expect(&stranger, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::NoMatchingKey { .. }), "{error}");
}

#[test]
fn a_cross_signed_intermediate_leads_to_the_trusted_root() {
    let family = Family::new();
    let old_root = Entity::new("Old Root");
    let old_certificate = issue(&old_root, &old_root, &ca());
    let cross = issue(&family.intermediate, &old_root, &ca().serial(9));
    let mut pool = family.pool();
    pool.extend([cross.clone(), old_certificate.clone()]);
    for (root, intermediate) in [
        (&old_certificate, &cross),
        (&family.root_certificate, &family.intermediate_certificate),
    ] {
        let roots = [root.clone()];
        let verified = verify(pool.clone(), &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
        assert_eq!(verified.intermediates(), std::slice::from_ref(intermediate));
        assert_eq!(verified.root(), Some(root));
    }
}

#[test]
fn of_cross_signed_intermediates_an_expired_one_is_passed_by() {
    let family = Family::new();
    let old_root = Entity::new("Old Root");
    let ended = ca().serial(9).dates(NOW.0 - 9 * DAY, NOW.0 - DAY);
    let mut pool = family.pool();
    pool.insert(0, issue(&family.intermediate, &old_root, &ended));
    pool.insert(0, issue(&old_root, &old_root, &ca()));
    let verified = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
}

#[test]
fn a_root_that_is_also_cross_signed_ends_the_chain_at_the_trusted_one() {
    let family = Family::new();
    let older = Entity::new("Older Root");
    let older_certificate = issue(&older, &older, &ca());
    // It lasts longer than the root itself, and is passed by all the same.
    let longer = ca().serial(77).dates(NOW.0 - DAY, NOW.0 + 300 * DAY);
    let bridge = issue(&family.root, &older, &longer);
    let mut pool = family.pool();
    pool.extend([bridge.clone(), older_certificate.clone()]);
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let roots = [older_certificate.clone()];
    let verified = verify(pool, &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
    assert_eq!(
        verified.intermediates(),
        [family.intermediate_certificate.clone(), bridge]
    );
    assert_eq!(verified.root(), Some(&older_certificate));
}

#[test]
fn the_key_identifier_finds_the_issuer_among_many_of_its_name() {
    let family = Family::new();
    let mut pool = family.pool();
    let later = ca().dates(NOW.0 - DAY, NOW.0 + 300 * DAY);
    pool.extend((0..300).map(|serial| {
        let namesake = Entity::new("Intermediate");
        issue(&namesake, &family.root, &later.clone().serial(serial))
    }));
    let verified = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(
        verified.intermediates(),
        std::slice::from_ref(&family.intermediate_certificate)
    );
}

#[test]
fn two_cas_that_certify_each_other_do_not_trap_the_search() {
    let (a, b, service) = (
        Entity::new("A"),
        Entity::new("B"),
        Entity::new("svc.example.com"),
    );
    let end = issue(&service, &a, &leaf());
    let pool = vec![end.clone(), issue(&a, &b, &ca()), issue(&b, &a, &ca())];
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::IssuerMissing { .. }), "{error}");
}

#[test]
fn hostile_pools_are_bounded() {
    let family = Family::new();
    let many = vec![family.leaf.clone(); 1_001];
    let error = verify(many, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(error, Error::TooManyCertificates { count: 1_001, .. }),
        "{error}"
    );

    // 300 CAs of one name with keys of their own and no identifiers: each would need a signature check.
    let plain = Profile {
        key_identifiers: false,
        ..ca()
    };
    let end = issue(
        &family.service,
        &family.intermediate,
        &Profile {
            key_identifiers: false,
            ..leaf()
        },
    );
    let mut pool: Vec<Certificate> = (0..300)
        .map(|serial| {
            issue(
                &Entity::new("Intermediate"),
                &family.root,
                &plain.clone().serial(serial),
            )
        })
        .collect();
    pool.push(end.clone());
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("signature")),
        "{error}"
    );

    // A ladder of two certificates for each of 14 CAs has 2^14 ways, none of which reaches a root.
    let cas: Vec<Entity> = (0..15).map(|n| Entity::new(&format!("CA {n}"))).collect();
    let mut pool: Vec<Certificate> = cas
        .windows(2)
        .flat_map(|pair| [1, 2].map(|serial| issue(&pair[0], &pair[1], &ca().serial(serial))))
        .collect();
    let end = issue(&family.service, &cas[0], &leaf());
    pool.push(end.clone());
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("steps")),
        "{error}"
    );
}

#[test]
fn a_chain_deeper_than_sixteen_is_refused() {
    let cas: Vec<Entity> = (0..20).map(|n| Entity::new(&format!("CA {n}"))).collect();
    let service = Entity::new("svc.example.com");
    let end = issue(&service, &cas[0], &leaf());
    let up_to = |top: usize| -> Vec<Certificate> {
        let below = cas[..=top]
            .windows(2)
            .map(|pair| issue(&pair[0], &pair[1], &ca()));
        let root = issue(&cas[top], &cas[top], &ca());
        below.chain([root, end.clone()]).collect()
    };
    verify(up_to(14), &expect(&end, Trust::SelfContained)).unwrap();
    let error = verify(up_to(15), &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("16")),
        "{error}"
    );
}

/// A pool with everything that could make the order matter: duplicates, a cross-signed intermediate, a second
/// leaf for our key, a neighbour, an expired twin and unrelated certificates.
fn tangled() -> (Certificate, Vec<Certificate>) {
    let family = Family::new();
    let (old, neighbour) = (Entity::new("Old Root"), Entity::new("other.example.com"));
    let mut pool = family.pool();
    pool.extend(family.pool());
    pool.push(issue(&old, &old, &ca()));
    pool.push(issue(&family.intermediate, &old, &ca().serial(9)));
    let ended = ca().serial(10).dates(NOW.0 - 9 * DAY, NOW.0 - DAY);
    pool.push(issue(&family.intermediate, &family.root, &ended));
    pool.push(issue(
        &family.service,
        &family.intermediate,
        &leaf().serial(11),
    ));
    pool.push(issue(&neighbour, &family.intermediate, &leaf().serial(12)));
    pool.extend(Family::new().pool());
    (family.leaf, pool)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_result_does_not_depend_on_the_order_of_the_pool(
        (end, sorted, shuffled) in Just(tangled()).prop_flat_map(|(end, pool)| {
            let shuffled = Just(pool.clone()).prop_shuffle();
            (Just(end), Just(pool), shuffled)
        })
    ) {
        for trust in [Trust::SelfContained, Trust::Partial] {
            let first = verify(sorted.clone(), &expect(&end, trust)).unwrap();
            let second = verify(shuffled.clone(), &expect(&end, trust)).unwrap();
            prop_assert_eq!(first, second);
        }
    }

    #[test]
    fn the_error_does_not_depend_on_the_order_of_the_pool(
        (end, sorted, shuffled) in Just(tangled()).prop_flat_map(|(end, mut pool)| {
            pool.retain(|c| c.facts().issuer != c.facts().subject); // no root is left
            let shuffled = Just(pool.clone()).prop_shuffle();
            (Just(end), Just(pool), shuffled)
        })
    ) {
        let first = verify(sorted, &expect(&end, Trust::SelfContained)).unwrap_err();
        let second = verify(shuffled, &expect(&end, Trust::SelfContained)).unwrap_err();
        prop_assert_eq!(first, second);
    }
}
