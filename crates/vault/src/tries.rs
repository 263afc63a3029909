// SPDX-License-Identifier: Apache-2.0
//! Which node is asked, and how often. A round asks each node once; what will pass gets another round.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::session::Session;
use crate::{Error, Vault};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Nobody unseals a server in less.
const UNSEAL_PAUSE: Duration = Duration::from_secs(1);

/// Why a node did not do it.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// It cannot be asked; whether that can pass.
    Network(web::Error),
    /// What stands before it cannot ask it.
    Gateway { url: String, reason: String },
    /// Nobody leads.
    Election { reason: String },
    /// It wants a pause.
    Quota {
        url: String,
        reason: String,
        pause: Option<Duration>,
    },
    /// It sends us to who does not answer, or to nobody of ours while the cluster has no leader.
    Redirect { url: String, location: String },
    /// A person must unseal it.
    Sealed { url: String, reason: String },
    /// A person must initialize it.
    Uninitialized { url: String },
}

impl Trouble {
    /// Whether it will be the same in a second.
    fn is_permanent(&self) -> bool {
        match self {
            Self::Network(error) => matches!(
                error,
                web::Error::Resolve { .. }
                    | web::Error::Setting { .. }
                    | web::Error::Tls { .. }
                    | web::Error::TooLarge { .. }
                    | web::Error::Untrusted { .. }
                    | web::Error::Url { .. }
            ),
            _ => false,
        }
    }

    /// Whether somebody must act on the server.
    fn needs_a_person(&self) -> bool {
        matches!(self, Self::Sealed { .. } | Self::Uninitialized { .. })
    }

    /// Whether a round with a sealed server need not wait for it: nobody there can become the leader.
    fn is_absence(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    /// In a few words, for the messages of others.
    fn words(&self) -> String {
        match self {
            Self::Network(error) => error.to_string(),
            Self::Gateway { url, reason } => format!("{url}: {reason}"),
            Self::Election { reason } | Self::Quota { reason, .. } => reason.clone(),
            Self::Redirect { url, location } => format!("{url} redirects to {location}"),
            Self::Sealed { url, reason } => format!("{url}: {reason}"),
            Self::Uninitialized { url } => format!("{url} is not initialized"),
        }
    }
}

/// The tries of one call.
pub(crate) struct Tries<'a> {
    vault: &'a Vault,
    /// The first sign of what will pass.
    began: Option<Instant>,
    /// The first sign that somebody must act.
    waiting_for_a_person: Option<Instant>,
    pause: Duration,
    round: BTreeSet<usize>,
    troubles: Vec<Trouble>,
    /// A node that another one has named; it is asked next, once in a round.
    named: Option<usize>,
    has_followed: bool,
    has_renewed: bool,
    window: Duration,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(vault: &'a Vault) -> Self {
        Self::within(vault, vault.settings().retry_window)
    }

    /// With no patience at all, for what is only a look.
    pub(crate) fn once(vault: &'a Vault) -> Self {
        Self::within(vault, Duration::ZERO)
    }

    /// With less patience than the settings have.
    pub(crate) fn within(vault: &'a Vault, window: Duration) -> Self {
        Self {
            vault,
            began: None,
            waiting_for_a_person: None,
            pause: FIRST_PAUSE,
            round: BTreeSet::new(),
            troubles: Vec::new(),
            named: None,
            has_followed: false,
            has_renewed: false,
            window,
        }
    }

    /// The node to ask next in this round.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let named = self.named.take();
        let pinned = self.vault.pinned();
        let count = self.vault.nodes.len();
        let first = self.vault.preferred();
        let order = (0..count).map(|step| (first + step) % count);
        let next = named
            .or_else(|| pinned.filter(|index| !self.round.contains(index)))
            .or_else(|| order.into_iter().find(|index| !self.round.contains(index)))?;
        self.round.insert(next);
        Some(next)
    }

    /// A node names another of ours: that one is next, if none was followed in this round.
    pub(crate) fn follow(&mut self, index: usize) {
        if !self.has_followed {
            self.has_followed = true;
            self.named = Some(index);
        }
    }

    /// Whether the node was not asked in this round; it counts as asked then.
    pub(crate) fn is_first_visit(&mut self, index: usize) -> bool {
        self.round.insert(index)
    }

    /// The node may be asked again in this round.
    pub(crate) fn visit_again(&mut self, index: usize) {
        self.round.remove(&index);
        self.named = Some(index);
    }

    /// Whether another try may find a token better that a server did not know: one just made, which a follower has not
    /// heard of yet, or after another login.
    pub(crate) fn may_renew(&mut self, session: &Session) -> bool {
        if session.is_fresh() {
            std::thread::sleep(FIRST_PAUSE);
            return true;
        }
        let may = session.is_ours && !self.has_renewed;
        self.has_renewed = true;
        may
    }

    /// Notes that a node did not do it.
    pub(crate) fn note(&mut self, trouble: Trouble) {
        self.began.get_or_insert_with(Instant::now);
        self.troubles.push(trouble);
    }

    /// All nodes were asked: waits for another round, or says why there is none.
    pub(crate) fn end_round(&mut self) -> Result<(), Error> {
        let troubles = std::mem::take(&mut self.troubles);
        self.round.clear();
        self.has_followed = false;
        let needs_a_person = troubles.iter().any(Trouble::needs_a_person)
            && troubles
                .iter()
                .all(|trouble| trouble.needs_a_person() || trouble.is_absence());
        let is_permanent = troubles.iter().all(Trouble::is_permanent);
        let began = *self.began.get_or_insert_with(Instant::now);
        let (since, limit, pause) = match needs_a_person {
            true => {
                // Whoever unseals begins something new, which has a window of its own.
                self.began = None;
                let since = *self.waiting_for_a_person.get_or_insert(began);
                let limit = self.vault.settings().wait_unsealed;
                (since, limit, UNSEAL_PAUSE)
            }
            false => (began, self.window, self.passing_pause(&troubles)),
        };
        // Somebody has waited as long before, in vain: of many calls not each one waits.
        let limit = match self.vault.has_given_up() {
            true => Duration::ZERO,
            false => limit,
        };
        let waited = since.elapsed();
        // A server may name any pause.
        if is_permanent || waited.saturating_add(pause) > limit {
            self.vault.give_up();
            return Err(self.failure(&troubles, waited));
        }
        // Somebody elects, unseals or recovers meanwhile, and nothing else is to be done.
        std::thread::sleep(pause);
        Ok(())
    }

    /// Why nothing was done, if there shall be no other round.
    pub(crate) fn end(self) -> Error {
        let waited = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        self.failure(&self.troubles, waited)
    }

    fn passing_pause(&mut self, troubles: &[Trouble]) -> Duration {
        let wanted = troubles.iter().find_map(|trouble| match trouble {
            Trouble::Quota { pause, .. } => *pause,
            _ => None,
        });
        let pause = wanted.unwrap_or(Duration::ZERO).max(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        pause
    }

    /// What tells most of why: somebody must act, then what the server said, then what the network did.
    fn failure(&self, troubles: &[Trouble], waited: Duration) -> Error {
        let tried = self.vault.settings().addresses.join(", ");
        let Some(worst) = troubles.iter().min_by_key(|trouble| rank(trouble)) else {
            let last = "no node was asked".to_owned();
            return Error::Unreachable {
                tried,
                waited,
                last,
            };
        };
        let others: Vec<String> = troubles.iter().map(Trouble::words).collect();
        match worst.clone() {
            Trouble::Sealed { url, .. } => Error::Sealed {
                url,
                reason: others.join("; "),
            },
            Trouble::Uninitialized { url } => Error::NotInitialized { url },
            Trouble::Election { reason } => Error::NoLeader {
                tried,
                waited,
                last: reason,
            },
            Trouble::Quota { url, reason, .. } => Error::Quota {
                url,
                waited,
                reason,
            },
            Trouble::Redirect { url, location } => Error::RedirectRefused { url, location },
            Trouble::Gateway { .. } | Trouble::Network(_) => Error::Unreachable {
                tried,
                waited,
                last: others.join("; "),
            },
        }
    }
}

fn rank(trouble: &Trouble) -> u8 {
    match trouble {
        Trouble::Sealed { .. } => 0,
        Trouble::Uninitialized { .. } => 1,
        Trouble::Quota { .. } => 2,
        Trouble::Election { .. } => 3,
        Trouble::Redirect { .. } => 4,
        Trouble::Gateway { .. } => 5,
        Trouble::Network(_) => 6,
    }
}

/// Which node is asked first, as all threads have found out.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// The node that leads.
    pub(crate) pinned: Option<usize>,
    /// The node that answered last.
    pub(crate) preferred: usize,
    /// Whether the last call that had an end waited in vain.
    pub(crate) has_given_up: bool,
}

impl Vault {
    pub(crate) fn pinned(&self) -> Option<usize> {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.pinned
    }

    pub(crate) fn preferred(&self) -> usize {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.preferred
    }

    /// It has done what it was asked for.
    pub(crate) fn prefer(&self, index: usize) {
        let mut choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.preferred = index;
        choice.has_given_up = false;
    }

    fn has_given_up(&self) -> bool {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.has_given_up
    }

    fn give_up(&self) {
        let mut choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.has_given_up = true;
    }

    pub(crate) fn pin(&self, index: usize) {
        let mut choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.pinned = Some(index);
        choice.preferred = index;
    }

    /// It did not: whoever pinned it looks anew.
    pub(crate) fn unpin(&self, index: usize) {
        let mut choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        if choice.pinned == Some(index) {
            choice.pinned = None;
        }
    }
}
