// SPDX-License-Identifier: Apache-2.0
//! The settings of the issuer `acme`, checked against what is wished of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use acme::{ChallengeKind, Demand, Identifier, PreferredChain};
use acme_dns_challenge::request::{Authority, Request as Shared};
use pki::{Lifetime, RequestTemplate};

use super::{Merged, Notes};
use crate::params::{AcmeParams, HttpParams};

/// How many certificates are ordered at once where nothing is said: they wait for the server.
pub(super) const USUAL_WORKERS: usize = 8;

/// The responder for http-01, and the look at it before the authority looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSpec {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// The port at which the authority looks.
    pub public_port: u16,
    /// What is demanded of the look; none: no look.
    pub self_check: Option<Demand>,
    /// How long proofs may take to be seen.
    pub timeout: Duration,
}

/// An ACME server with everything that is needed to ask it.
pub struct AcmeSpec {
    /// Server, account, patience, name servers: in the words of `acme_dns_challenge`.
    pub shared: Shared,
    /// Who is asked, with which account.
    pub authority: Authority,
    /// The responder, where names are proved by http-01.
    pub http: Option<HttpSpec>,
    /// The profile of the server.
    pub profile: Option<String>,
    /// Which chain is taken.
    pub preferred: Option<PreferredChain>,
    /// The same for entries with the same settings: they share an account and a responder.
    pub group: [u8; 32],
}

impl fmt::Debug for AcmeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcmeSpec")
            .field("directory", &self.authority.directory)
            .finish_non_exhaustive()
    }
}

/// Reads the options at `path`.
pub(crate) fn acme_spec(path: &str, given: &AcmeParams, notes: &mut Notes) -> Option<AcmeSpec> {
    let challenge = challenge(given);
    let is_http = challenge == ChallengeKind::Http01;
    check_challenge(path, given, &challenge, notes);
    let shared = Shared::try_from_params(&given.shared)
        .map_err(|faults| {
            for fault in faults.faults() {
                notes.fault(format!("{path}.{}", fault.path), fault.message.clone());
            }
        })
        .ok();
    let http = is_http.then(|| http(&format!("{path}.http"), given.http.as_ref(), notes));
    let preferred = given.preferred_chain.as_deref();
    let mut shared = shared?;
    shared.challenge = challenge;
    Some(AcmeSpec {
        authority: shared.authority.take()?,
        shared,
        http: http.map_or(Some(None), |http| http.map(Some))?,
        profile: given.profile.clone(),
        preferred: preferred.and_then(|text| text.parse().ok()),
        group: given.group,
    })
}

fn challenge(given: &AcmeParams) -> ChallengeKind {
    match (&given.challenge, given.has_provider) {
        (Some(word), _) => ChallengeKind::from(word.clone()),
        (None, true) => ChallengeKind::Dns01,
        (None, false) => ChallengeKind::Http01,
    }
}

/// Whether what it needs is given, and nothing that goes with another one.
fn check_challenge(path: &str, given: &AcmeParams, challenge: &ChallengeKind, notes: &mut Notes) {
    let is_http = *challenge == ChallengeKind::Http01;
    // A record that stays may stand already.
    let wants_provider = !is_http && *challenge != ChallengeKind::DnsPersist01;
    let word = challenge.as_str();
    if wants_provider && !given.has_provider {
        let message = format!("required for {word}: how records are published");
        notes.fault(format!("{path}.provider"), message);
    }
    for (option, is_given, is_wrong) in [
        ("provider", given.has_provider, is_http),
        ("http", given.http.is_some(), !is_http),
    ] {
        if is_given && is_wrong {
            let message = format!("does not go with the challenge {word}");
            notes.fault(format!("{path}.{option}"), message);
        }
    }
}

impl Default for HttpSpec {
    /// As the table has it, for those that say nothing at all of the responder.
    fn default() -> Self {
        Self {
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 8888))],
            public_port: 80,
            self_check: Some(Demand::NotWrong),
            timeout: Duration::from_secs(60),
        }
    }
}

fn http(path: &str, given: Option<&HttpParams>, notes: &mut Notes) -> Option<HttpSpec> {
    let Some(given) = given else {
        return Some(HttpSpec::default());
    };
    let addresses = addresses(path, given, notes);
    let public_port = port(&format!("{path}.public_port"), given.public_port, notes);
    let at = format!("{path}.timeout");
    let timeout = notes.parsed::<Lifetime>(&at, &given.timeout);
    if timeout.is_some_and(|span| !(1..=3_600).contains(&span.0)) {
        let message = format!("'{}' is not between a second and an hour", given.timeout);
        notes.fault(at, message);
    }
    Some(HttpSpec {
        addresses,
        public_port: public_port?,
        self_check: match given.self_check.as_str() {
            "true" => Some(Demand::Seen),
            "false" => None,
            _ => Some(Demand::NotWrong),
        },
        timeout: Duration::from_secs(timeout?.0),
    })
}

fn addresses(path: &str, given: &HttpParams, notes: &mut Notes) -> Vec<SocketAddr> {
    let port = port(&format!("{path}.port"), given.port, notes);
    let mut addresses = Vec::new();
    for (index, text) in given.address.iter().enumerate() {
        match text.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => addresses.extend(port.map(|port| SocketAddr::new(ip, port))),
            Err(_) => notes.fault(
                format!("{path}.address[{index}]"),
                format!(
                    "'{text}' is not an IP address; write 127.0.0.1, or 0.0.0.0 and :: for all"
                ),
            ),
        }
    }
    if given.address.is_empty() {
        notes.fault(format!("{path}.address"), "name at least one address");
    }
    addresses
}

fn port(path: &str, number: i64, notes: &mut Notes) -> Option<u16> {
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    if port.is_none() {
        notes.fault(path, format!("'{number}' is not a port; give 1 to 65535"));
    }
    port
}

/// What cannot be certified, or not proved this way: told before anything is asked of anybody.
pub(crate) fn check_names(
    merged: &Merged<'_>,
    spec: &AcmeSpec,
    template: &RequestTemplate,
    notes: &mut Notes,
) {
    let at = format!("certificates[{}]", merged.index);
    if !template.names.other.is_empty() {
        notes.fault(
            &at,
            "an ACME server certifies DNS names and IP addresses only; remove 'other_name'",
        );
    }
    let identifiers = match Identifier::all_of(&template.names) {
        Ok(identifiers) => identifiers,
        Err(why) => {
            let message =
                format!("{why}, and an ACME server certifies DNS names and IP addresses only");
            return notes.fault(at, message);
        }
    };
    if identifiers.is_empty() && !template.subject.is_empty() {
        notes.fault(&at, "has no DNS name and no IP address; give 'dns' or 'ip'");
    }
    for identifier in &identifiers {
        if let Some((option, why)) = unprovable(&spec.shared.challenge, identifier) {
            notes.fault(merged.at(option), format!("'{identifier}': {why}"));
        }
    }
    let Some(common_name) = template.subject.common_name() else {
        return;
    };
    let is_named = |name: &Identifier| name.value().eq_ignore_ascii_case(common_name);
    if !identifiers.is_empty() && !identifiers.iter().any(is_named) {
        notes.fault(
            merged.at("common_name"),
            format!(
                "'{common_name}' is none of the names; an ACME server takes no other common name"
            ),
        );
    }
}

/// The option that names it, and why it cannot be proved this way.
fn unprovable(
    challenge: &ChallengeKind,
    identifier: &Identifier,
) -> Option<(&'static str, &'static str)> {
    match (challenge, identifier) {
        (ChallengeKind::Http01, name) if name.is_wildcard() => Some((
            "dns",
            "a wildcard cannot be proved by http-01; use dns-01 with a provider",
        )),
        (ChallengeKind::Http01, _) | (_, Identifier::Dns(_)) => None,
        _ => Some((
            "ip",
            "an IP address cannot be proved in the DNS; use http-01",
        )),
    }
}
