// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the input are
//! collected, each with the path of its option.

mod authority;
mod certificate;
mod existing;
mod phase;
pub mod provider;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Component, PathBuf};
use std::time::Duration;

use acme::{ChallengeKind, Patience};
use ansible_module::{Faults, InputFaults};
use dns::Name;
use pki::{Lifetime, RenewBefore};

pub use authority::{AccountWish, Authority};
pub use certificate::{CertificateWish, Content, CsrSource, FileWish};
pub use existing::{CertificateSource, NamesSource, ReleaseWish, RevocationWish, first};
pub use phase::Phase;
pub use provider::{Provider, Secret};

use crate::params::{CertificateParams, Params, RecordParams};

/// More workers than this only cost memory.
const MOST_WORKERS: usize = 64;
/// How many certificates are worked on at once where nothing is said: they wait for the server.
const USUAL_WORKERS: usize = 8;
/// How long one order may take of the time that all of them have.
const LONGEST_ORDER: Duration = Duration::from_secs(600);

/// A record of another task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordWish {
    /// Its owner.
    pub owner: Name,
    /// What it says.
    pub value: String,
    /// Its zone, where it is known.
    pub zone: Option<Name>,
}

/// Who is asked whether records are there.
#[derive(Debug)]
pub struct Propagation {
    /// Recursive servers; empty: those of the host.
    pub resolvers: Vec<SocketAddr>,
    /// Authoritative servers; empty: those that the zone names.
    pub nameservers: Vec<SocketAddr>,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether to wait until resolvers have forgotten an old record.
    pub hold: bool,
}

/// When certificates are renewed.
#[derive(Debug)]
pub struct Renew {
    /// Whether the server is asked.
    pub ari: bool,
    /// How long before the end; none: a share of the lifetime.
    pub before: Option<RenewBefore>,
    /// Whatever speaks against it.
    pub force: bool,
}

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// Which steps.
    pub phase: Phase,
    /// The certificate authority, for phases that ask it.
    pub authority: Option<Authority>,
    /// The certificates that are wanted.
    pub certificates: Vec<CertificateWish>,
    /// Those that are revoked.
    pub revocations: Vec<RevocationWish>,
    /// Names whose authorizations are given up.
    pub releases: Vec<ReleaseWish>,
    /// How names are proved.
    pub challenge: ChallengeKind,
    /// The only zone that may be written to.
    pub zone: Option<Name>,
    /// How records are published.
    pub provider: Option<Provider>,
    /// Records of other tasks.
    pub records: Vec<RecordWish>,
    /// Who is asked for them.
    pub propagation: Propagation,
    /// When to renew.
    pub renew: Renew,
    /// How much the server is forgiven.
    pub patience: Patience,
    /// How long one answer may take.
    pub http_timeout: Duration,
    /// Where unfinished orders and issued chains are kept.
    pub state_dir: PathBuf,
    /// Workers at once.
    pub parallel: usize,
}

impl Request {
    /// Checks all options.
    ///
    /// # Errors
    /// All faults of the input at once.
    pub fn try_from_params(params: &Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        let phase = Phase::of(&params.phase);
        let given = |is_meant: bool| -> &[CertificateParams] {
            if is_meant { &params.certificates } else { &[] }
        };
        check_phase(params, phase, &mut faults);
        let request = Self {
            phase,
            authority: authority::authority(params, phase, &mut faults),
            certificates: certificate::certificates(
                given(phase.orders() || phase.is_of_records()),
                &mut faults,
            ),
            revocations: existing::revocations(given(phase == Phase::Revoke), &mut faults),
            releases: existing::releases(given(phase == Phase::DeactivateAuthz), &mut faults),
            challenge: ChallengeKind::from(params.challenge.clone()),
            zone: params
                .target
                .as_ref()
                .and_then(|target| name("target.zone", target.zone.as_deref()?, &mut faults)),
            provider: params
                .provider
                .as_ref()
                .and_then(|given| provider::provider(given, &mut faults)),
            records: records(&params.records, &mut faults),
            propagation: propagation(params, &mut faults),
            renew: renew(params, &mut faults),
            patience: patience(params, &mut faults),
            http_timeout: span(
                "retry.http_timeout",
                &params.retry.http_timeout,
                &mut faults,
            ),
            state_dir: absolute("state_dir", &params.state_dir, &mut faults).unwrap_or_default(),
            parallel: parallel(params.parallel, &mut faults),
        };
        faults.into_result(request)
    }
}

fn check_phase(params: &Params, phase: Phase, faults: &mut Faults) {
    let word = phase.word();
    existing::check_unused(&params.certificates, phase, faults);
    if !phase.is_of_records() {
        // Who has the key of a certificate needs no account to revoke it.
        let mut all = params.certificates.iter();
        let needs_account = phase != Phase::Revoke || all.any(|one| one.private_key.is_none());
        for (option, given) in [
            ("directory", params.directory.is_some()),
            (
                "account_key",
                params.account_key.is_some() || !needs_account,
            ),
        ] {
            if !given {
                faults.push(option, format!("the phase '{word}' needs it"));
            }
        }
    }
    // No certificates and no records are no fault: nothing may be wished or due on any host.
    let publishes = matches!(phase, Phase::All | Phase::Publish | Phase::Cleanup);
    if publishes && params.provider.is_none() {
        faults.push(
            "provider",
            format!("the phase '{word}' needs one; without, use the phases 'request' and 'complete' and publish what 'txt_records' says in between"),
        );
    }
}

fn records(given: &[RecordParams], faults: &mut Faults) -> Vec<RecordWish> {
    let mut found: Vec<RecordWish> = Vec::new();
    for (index, record) in given.iter().enumerate() {
        let at = format!("records[{index}]");
        let owner = name(&format!("{at}.target"), &record.target, faults);
        let zone = record.zone.as_deref();
        let zone = zone.and_then(|zone| name(&format!("{at}.zone"), zone, faults));
        let Some(owner) = owner else { continue };
        let value = record.value.clone();
        let wish = RecordWish { owner, value, zone };
        // Hosts that share a name want the same record.
        if !found.contains(&wish) {
            found.push(wish);
        }
    }
    found
}

fn propagation(params: &Params, faults: &mut Faults) -> Propagation {
    let given = &params.propagation;
    let mut servers = |option: &str, texts: &[String]| {
        let each = texts.iter().enumerate();
        each.filter_map(|(index, text)| {
            dns::resolver::server_address(text)
                .map_err(|error| {
                    faults.push(format!("propagation.{option}[{index}]"), error.to_string())
                })
                .ok()
        })
        .collect()
    };
    Propagation {
        resolvers: servers("resolvers", &given.resolvers),
        nameservers: servers("nameservers", &given.nameservers),
        timeout: span("propagation.timeout", &given.timeout, faults),
        hold: given.hold,
    }
}

fn renew(params: &Params, faults: &mut Faults) -> Renew {
    let before = params.renew.before.as_deref().and_then(|text| {
        text.parse()
            .map_err(|error: pki::Error| faults.push("renew.before", error.to_string()))
            .ok()
    });
    Renew {
        ari: params.renew.ari,
        before,
        force: params.renew.force,
    }
}

fn patience(params: &Params, faults: &mut Faults) -> Patience {
    let nonces = u32::try_from(params.retry.nonces).ok();
    let nonces = nonces.filter(|nonces| (1..=100).contains(nonces));
    if nonces.is_none() {
        faults.push("retry.nonces", "give 1 to 100");
    }
    let deadline = span("retry.deadline", &params.retry.deadline, faults);
    Patience {
        max_wait: span("retry.max_wait", &params.retry.max_wait, faults),
        nonces: nonces.unwrap_or(1),
        deadline: deadline.min(LONGEST_ORDER),
        whole: Some(deadline),
        ..Patience::default()
    }
}

fn parallel(wished: Option<i64>, faults: &mut Faults) -> usize {
    match wished.map(usize::try_from) {
        None => USUAL_WORKERS,
        Some(Ok(count)) if (1..=MOST_WORKERS).contains(&count) => count,
        Some(_) => {
            faults.push("parallel", format!("give 1 to {MOST_WORKERS}"));
            USUAL_WORKERS
        }
    }
}

/// A span of time with a unit, a day at most.
pub(crate) fn span(at: &str, text: &str, faults: &mut Faults) -> Duration {
    match text.parse::<Lifetime>() {
        Ok(Lifetime(seconds)) if (1..=86_400).contains(&seconds) => Duration::from_secs(seconds),
        Ok(_) => {
            faults.push(at, format!("'{text}' is not between a second and a day"));
            Duration::ZERO
        }
        Err(error) => {
            faults.push(at, error.to_string());
            Duration::ZERO
        }
    }
}

pub(crate) fn name(at: &str, text: &str, faults: &mut Faults) -> Option<Name> {
    text.parse()
        .map_err(|error: dns::Error| faults.push(at, error.to_string()))
        .ok()
}

/// An absolute path without `..`.
pub(crate) fn absolute(at: &str, text: &str, faults: &mut Faults) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    let has_parent = path.components().any(|part| part == Component::ParentDir);
    if !path.is_absolute() || has_parent {
        faults.push(at, format!("'{text}' is not an absolute path without '..'"));
        return None;
    }
    Some(path)
}

/// Each name once.
pub(crate) fn check_unique<'a>(
    what: &str,
    names: impl Iterator<Item = (String, &'a str)>,
    faults: &mut Faults,
) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (at, name) in names {
        if let Some(first) = seen.get(name) {
            faults.push(at, format!("{what} '{name}' is already at {first}"));
        } else {
            seen.insert(name, at);
        }
    }
}
