// SPDX-License-Identifier: Apache-2.0
//! Where the record of a challenge must be: at the end of the CNAMEs.
//!
//! Everything that can be wrong with them is told here, before a CA hears of it and counts a failure.

use std::sync::Arc;
use std::time::Duration;

use crate::message::{Data, Kind, Message, Text};
use crate::zone::{Zone, Zones};
use crate::{Error, Name, Result, parallel};

/// BIND and Unbound follow about this many; a CA's resolver would give up behind it.
const MOST_CNAMES: usize = 10;
/// How many names are walked at a time.
const WIDTH: usize = 16;

/// What was at a name before we write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The text records.
    pub texts: Vec<Text>,
    /// For how long a resolver may keep them; zero without records.
    pub ttl: Duration,
    /// For how long a resolver may keep that there are none; zero if there are.
    pub negative_ttl: Duration,
}

/// The place of a challenge's record.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name that the CA asks.
    pub challenge: Name,
    /// The names that CNAMEs lead over, `challenge` first and the owner last.
    pub chain: Vec<Name>,
    /// The zone that holds the owner.
    pub zone: Arc<Zone>,
    /// What is there now.
    pub before: Before,
}

impl Target {
    /// The name that gets the record.
    pub fn owner(&self) -> &Name {
        // The chain begins with the challenge, so it is never empty.
        self.chain.last().unwrap_or(&self.challenge)
    }
}

/// The name at which a CA looks for the record: `label` (such as `_acme-challenge`) before the name, without `*`.
///
/// # Errors
/// [`Error::Name`] when it would be too long.
pub fn challenge_name(label: &str, identifier: &Name) -> Result<Name> {
    let labels = label.rsplit('.');
    labels
        .into_iter()
        .try_fold(identifier.without_wildcard(), |name, label| {
            name.child(label)
        })
}

/// Walks from each challenge name along its CNAMEs; the results are in the order of the names.
///
/// `allowed` is the only zone that records may be written to: a name in another zone, and one without a CNAME into
/// it, is an error.
///
/// # Errors
/// [`Error::TargetLoop`], [`Error::TargetFar`], [`Error::TargetDangling`], [`Error::TargetMissing`],
/// [`Error::TargetOutside`]; [`Error::NoAnswer`] and the like where servers do not answer.
pub fn walk_all(
    zones: &Zones<'_>,
    challenges: &[Name],
    allowed: Option<&Name>,
) -> Vec<Result<Target>> {
    // The first finds the zones that the others are in, too.
    let Some((first, others)) = challenges.split_first() else {
        return Vec::new();
    };
    let mut targets = vec![walk(zones, first, allowed)];
    targets.extend(parallel::map(others, WIDTH, |name| {
        walk(zones, name, allowed)
    }));
    targets
}

/// As [`walk_all`], for one.
///
/// # Errors
/// As there.
pub fn walk(zones: &Zones<'_>, challenge: &Name, allowed: Option<&Name>) -> Result<Target> {
    let mut chain = vec![challenge.clone()];
    loop {
        let name = chain.last().unwrap_or(challenge).clone();
        let (zone, answer) = zones
            .locate(&name)
            .map_err(|error| nowhere(challenge, &chain, error))?;
        let Some(next) = cname(&answer, &name) else {
            let answer = zone
                .ask(&name, Kind::TXT, zones.patience())
                .map_err(|error| nowhere(challenge, &chain, error))?;
            let target = Target {
                challenge: challenge.clone(),
                chain,
                zone,
                before: before(&answer, &name),
            };
            return within(target, allowed);
        };
        let is_known = chain.contains(&next);
        chain.push(next);
        if is_known {
            return Err(Error::TargetLoop {
                challenge: challenge.clone(),
                chain,
            });
        }
        if chain.len() > MOST_CNAMES + 1 {
            return Err(Error::TargetFar {
                challenge: challenge.clone(),
                chain,
            });
        }
    }
}

/// Judges where the walk ended.
fn within(target: Target, allowed: Option<&Name>) -> Result<Target> {
    let (challenge, owner, found) = (&target.challenge, target.owner(), &target.zone.apex);
    match allowed {
        // Where a part of the zone is allowed, any zone within it is.
        Some(zone) if owner.is_within(zone) && found.is_within(zone) => Ok(target),
        Some(zone) if target.chain.len() == 1 => Err(Error::TargetMissing {
            challenge: challenge.clone(),
            zone: zone.clone(),
        }),
        Some(zone) => Err(Error::TargetOutside {
            challenge: challenge.clone(),
            target: owner.clone(),
            found: found.clone(),
            zone: zone.clone(),
        }),
        // The servers of the root and of top-level domains answer for names that nobody has registered.
        None if found.label_count() <= 1 => Err(Error::TargetDangling {
            challenge: challenge.clone(),
            target: owner.clone(),
            why: format!("no zone below '{found}' holds it"),
        }),
        None => Ok(target),
    }
}

/// Behind a CNAME, servers that are missing or do not have the zone are a fault of the CNAME. Silence is none: they may
/// be back in a minute.
fn nowhere(challenge: &Name, chain: &[Name], error: Error) -> Error {
    match (chain, &error) {
        ([_, .., target], Error::Refused { .. } | Error::Zone { .. }) => Error::TargetDangling {
            challenge: challenge.clone(),
            target: target.clone(),
            why: error.to_string(),
        },
        _ => error,
    }
}

fn cname(answer: &Message, name: &Name) -> Option<Name> {
    answer.answers.iter().find_map(|record| match &record.data {
        Data::Cname(target) if record.name == *name => Some(target.clone()),
        _ => None,
    })
}

fn before(answer: &Message, name: &Name) -> Before {
    let own = || answer.answers.iter().filter(|record| record.name == *name);
    let texts: Vec<Text> = own()
        .filter_map(|record| record.as_text().cloned())
        .collect();
    let ttl = own().map(|record| record.ttl).max().unwrap_or(0);
    let negative = match answer.negative_soa() {
        Some((_, ttl, soa)) if texts.is_empty() => ttl.min(soa.minimum),
        _ => 0,
    };
    Before {
        texts,
        ttl: Duration::from_secs(ttl.into()),
        negative_ttl: Duration::from_secs(negative.into()),
    }
}
