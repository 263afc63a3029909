// SPDX-License-Identifier: Apache-2.0
//! Which certificates may be ordered at the same time.

use std::collections::BTreeSet;

use crate::Identifier;

/// Parts them so that no two of a round have the same names. A server may give one account the same order for both, as
/// Let's Encrypt does while it is pending or ready, and an order has one certificate: RFC 8555 §7.4 leaves it open.
pub fn rounds<T>(items: Vec<T>, names: impl Fn(&T) -> &[Identifier]) -> Vec<Vec<T>> {
    let mut rounds: Vec<(BTreeSet<Vec<Identifier>>, Vec<T>)> = Vec::new();
    for item in items {
        let mut own = names(&item).to_vec();
        own.sort();
        match rounds.iter_mut().find(|(taken, _)| !taken.contains(&own)) {
            Some((taken, round)) => {
                taken.insert(own);
                round.push(item);
            }
            None => rounds.push((BTreeSet::from([own]), vec![item])),
        }
    }
    rounds.into_iter().map(|(_, round)| round).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn names(of: &[&str]) -> Vec<Identifier> {
        of.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn only_certificates_with_the_same_names_wait_for_each_other() {
        let all = vec![
            ("a", names(&["x.test", "y.test"])),
            ("b", names(&["x.test"])),
            ("c", names(&["y.test", "x.test"])),
            ("d", names(&["x.test"])),
            ("e", names(&["x.test"])),
        ];
        let found: Vec<Vec<&str>> = rounds(all, |one| &one.1)
            .into_iter()
            .map(|round| round.into_iter().map(|one| one.0).collect())
            .collect();
        assert_eq!(found, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert!(rounds(Vec::<Vec<Identifier>>::new(), |one| one).is_empty());
    }
}
