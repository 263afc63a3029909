// SPDX-License-Identifier: Apache-2.0
//! Waits until every authoritative server shows every record.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::{ask, asked};
use crate::message::{Kind, Rcode};
use crate::target::Target;
use crate::zone::Server;
use crate::{Error, Name, Result};

/// How many questions are under way at a time.
const WIDTH: usize = 32;
/// A server that is up answers at once; one that does not is asked again.
const ANSWER: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// So many laggards are named; more would not help anybody.
const NAMED: usize = 5;

/// The values that must be visible for one target.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// Where.
    pub target: &'a Target,
    /// What.
    pub values: Vec<Vec<u8>>,
}

/// A server that does not show what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laggard {
    /// Who.
    pub server: Server,
    /// The name.
    pub owner: Name,
    /// What it shows instead.
    pub shows: String,
}

impl Laggard {
    pub(crate) fn list(laggards: &[Self]) -> String {
        let mut parts: Vec<String> = laggards.iter().take(NAMED).map(Self::to_string).collect();
        if laggards.len() > NAMED {
            parts.push(format!("and {} more", laggards.len() - NAMED));
        }
        parts.join("; ")
    }
}

impl fmt::Display for Laggard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            owner,
            shows,
        } = self;
        match server.name == server.address.to_string() {
            true => write!(f, "'{}' for '{owner}': {shows}", server.name),
            false => write!(
                f,
                "'{}' ({}) for '{owner}': {shows}",
                server.name, server.address
            ),
        }
    }
}

/// All servers show all values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// How long that took.
    pub took: Duration,
    /// For how long a resolver that looked before may still give the old records: see [`hold`].
    pub hold: Duration,
    /// Addresses that cannot be reached from here; other addresses of the same servers were asked.
    pub skipped: Vec<Server>,
    /// How many questions were asked.
    pub questions: usize,
}

/// For how long a resolver may go on with what was there before: the TTL of an old set that lacks a value. If
/// `was_asked`, somebody (a CA whose validation failed) may have looked when there was nothing, and the negative TTL
/// counts, which is the lesser of the SOA's TTL and its last number (RFC 2308 §5).
pub fn hold(expected: &Expected<'_>, was_asked: bool) -> Duration {
    let before = &expected.target.before;
    let had = |value: &Vec<u8>| before.texts.iter().any(|text| text.value() == *value);
    if expected.values.iter().all(had) {
        return Duration::ZERO;
    }
    match (before.texts.is_empty(), was_asked) {
        (false, _) => before.ttl,
        (true, true) => before.negative_ttl,
        (true, false) => Duration::ZERO,
    }
}

/// One server and one name, until it shows the values.
struct Watch<'a> {
    expected: &'a Expected<'a>,
    server: &'a Server,
    due: Instant,
    pause: Duration,
    shows: String,
}

#[derive(Default)]
struct State<'a> {
    waiting: Vec<Watch<'a>>,
    under_way: usize,
    unreachable: Vec<Watch<'a>>,
    late: Vec<Laggard>,
    questions: usize,
    /// The TTL of sets with values of somebody else's, who may have had a resolver look before ours were there.
    shared: Duration,
}

/// Asks all servers of all targets' zones until all show all values, or `within` is over.
///
/// # Errors
/// [`Error::NotVisible`], which names who is behind and what it shows instead.
pub fn wait(expected: &[Expected<'_>], was_asked: bool, within: Duration) -> Result<Visible> {
    let started = Instant::now();
    let watches = expected.iter().flat_map(|expected| {
        expected
            .target
            .zone
            .servers
            .iter()
            .map(move |server| Watch {
                expected,
                server,
                due: started,
                pause: FIRST_PAUSE,
                shows: "it was not asked in time".into(),
            })
    });
    let mut waiting: Vec<Watch<'_>> = watches.collect();
    let width = WIDTH.min(waiting.len());
    waiting.reverse();
    let state = Mutex::new(State {
        waiting,
        ..State::default()
    });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..width {
            scope.spawn(|| work(&state, &changed, started, within));
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let took = started.elapsed();
    let State {
        unreachable,
        mut late,
        questions,
        shared,
        ..
    } = state;
    let skipped = skipped(expected, unreachable, &mut late);
    if !late.is_empty() {
        late.sort_by(|a, b| (&a.server, &a.owner).cmp(&(&b.server, &b.owner)));
        return Err(Error::NotVisible {
            within,
            laggards: late,
        });
    }
    let holds = expected.iter().map(|expected| hold(expected, was_asked));
    Ok(Visible {
        took,
        hold: holds.max().unwrap_or(Duration::ZERO).max(shared),
        skipped,
        questions,
    })
}

/// Takes whatever is due next, asks, and puts it back if it must be asked again.
fn work<'a>(state: &Mutex<State<'a>>, changed: &Condvar, started: Instant, within: Duration) {
    let mut held = state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = Instant::now();
        let left = within.saturating_sub(started.elapsed());
        let next = held.waiting.iter().enumerate().rev();
        let next = next.min_by_key(|(_, watch)| watch.due);
        let Some((index, due)) = next.map(|(index, watch)| (index, watch.due)) else {
            if held.under_way == 0 {
                return changed.notify_all();
            }
            held = wait_on(changed, held, LONGEST_PAUSE);
            continue;
        };
        if left.is_zero() {
            let watch = held.waiting.swap_remove(index);
            held.late.push(laggard(&watch));
            continue;
        }
        if due > now {
            held = wait_on(changed, held, left.min(due - now));
            continue;
        }
        let mut watch = held.waiting.swap_remove(index);
        held.under_way += 1;
        held.questions += 1;
        drop(held);
        let looked = look(&watch, left.min(ANSWER));
        held = state.lock().unwrap_or_else(PoisonError::into_inner);
        held.under_way -= 1;
        match looked {
            Look::Shown { shared } => held.shared = held.shared.max(shared),
            Look::Unreachable(shows) => {
                watch.shows = shows;
                held.unreachable.push(watch);
            }
            Look::Not(shows) => {
                watch.shows = shows;
                watch.due = Instant::now() + watch.pause;
                watch.pause = (watch.pause * 2).min(LONGEST_PAUSE);
                held.waiting.push(watch);
            }
        }
        changed.notify_one();
    }
}

fn wait_on<'s, 'a>(
    changed: &Condvar,
    held: std::sync::MutexGuard<'s, State<'a>>,
    at_most: Duration,
) -> std::sync::MutexGuard<'s, State<'a>> {
    let (held, _) = changed
        .wait_timeout(held, at_most)
        .unwrap_or_else(PoisonError::into_inner);
    held
}

enum Look {
    /// All are there; and for how long others may have been there alone.
    Shown {
        shared: Duration,
    },
    Unreachable(String),
    Not(String),
}

fn look(watch: &Watch<'_>, within: Duration) -> Look {
    let (server, owner) = (watch.server.address, watch.expected.target.owner());
    let answer = match ask(server, owner, Kind::TXT, false, within) {
        Ok(answer) => answer,
        Err(Error::NoAnswer { source, .. }) => {
            return match source.kind() {
                ErrorKind::NetworkUnreachable
                | ErrorKind::HostUnreachable
                | ErrorKind::AddrNotAvailable => Look::Unreachable(source.to_string()),
                ErrorKind::TimedOut => Look::Not("it does not answer".into()),
                _ => Look::Not(source.to_string()),
            };
        }
        Err(error) => return Look::Not(error.to_string()),
    };
    match answer.rcode {
        Rcode::NOERROR | Rcode::NXDOMAIN if answer.authoritative => {}
        Rcode::NOERROR | Rcode::NXDOMAIN => {
            return Look::Not("it is not authoritative for the zone".into());
        }
        rcode => {
            return Look::Not(format!(
                "it answers {} with {rcode}",
                asked(owner, Kind::TXT)
            ));
        }
    }
    let own = answer.answers.iter().filter(|record| record.name == *owner);
    let texts = own.filter_map(|record| Some((record.as_text()?.value(), record.ttl)));
    let (shown, ttls): (Vec<Vec<u8>>, Vec<u32>) = texts.unzip();
    let wanted = &watch.expected.values;
    if wanted.iter().all(|value| shown.contains(value)) {
        let is_shared = shown.iter().any(|value| !wanted.contains(value));
        let ttl = ttls.into_iter().max().filter(|_| is_shared).unwrap_or(0);
        return Look::Shown {
            shared: Duration::from_secs(ttl.into()),
        };
    }
    let serial = answer
        .negative_soa()
        .map(|(_, _, soa)| format!(" (serial {})", soa.serial));
    let serial = serial.unwrap_or_default();
    Look::Not(match shown.len() {
        0 => format!("it shows no text record{serial}"),
        _ => format!("it shows {}", quoted(&shown)),
    })
}

/// The values that are there, as far as they are worth reading.
fn quoted(values: &[Vec<u8>]) -> String {
    let mut parts: Vec<String> = values
        .iter()
        .take(3)
        .map(|value| format!("'{}'", value.get(..64).unwrap_or(value).escape_ascii()))
        .collect();
    if values.len() > 3 {
        parts.push(format!("and {} more", values.len() - 3));
    }
    parts.join(", ")
}

fn laggard(watch: &Watch<'_>) -> Laggard {
    Laggard {
        server: watch.server.clone(),
        owner: watch.expected.target.owner().clone(),
        shows: watch.shows.clone(),
    }
}

/// An address without a route from here says nothing about the server, if another of its addresses was asked.
fn skipped(
    expected: &[Expected<'_>],
    unreachable: Vec<Watch<'_>>,
    late: &mut Vec<Laggard>,
) -> Vec<Server> {
    let away: Vec<&Server> = unreachable.iter().map(|watch| watch.server).collect();
    let mut reached: BTreeMap<&str, bool> = BTreeMap::new();
    let servers = expected.iter().flat_map(|e| &e.target.zone.servers);
    for server in servers {
        *reached.entry(&server.name).or_default() |= !away.contains(&server);
    }
    let mut skipped = Vec::new();
    for watch in &unreachable {
        match reached.get(watch.server.name.as_str()) {
            Some(true) if !skipped.contains(watch.server) => skipped.push(watch.server.clone()),
            Some(true) => {}
            _ => late.push(laggard(watch)),
        }
    }
    skipped
}
