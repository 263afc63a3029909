// SPDX-License-Identifier: Apache-2.0
//! One wait for many requests: on signals where there is a bus, each with its own time limit.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use certmonger::{Change, Class, Daemon, Error, RequestPath, State, Tracked};

use super::batch::{Item, begin, watched};
use super::{End, KeptError};
use crate::decide::Action;
use crate::failure::EntryError;

/// A daemon that is restarted is back within this time, or somebody has stopped it.
const RESTART_GRACE: Duration = Duration::from_secs(30);
/// Without a bus nothing tells of a change, so it is asked for: often first, seldom later.
const POLL: Duration = Duration::from_millis(25);
const SLOWEST_POLL: Duration = Duration::from_millis(250);
/// With signals, a look now and then only for the case that one was lost.
const SAFETY_LOOK: Duration = Duration::from_secs(5);

/// After this long at the authority, the next request is begun beside it.
const SLOW_AUTHORITY: Duration = Duration::from_secs(1);

/// What does not move for so long hangs, in a command of the user for instance; it need not hold up the others.
const STANDSTILL: Duration = Duration::from_secs(5);

/// A request that is waited for.
pub(super) struct Watched {
    pub(super) nickname: String,
    pub(super) ca: String,
    /// The certificate that must not come out again.
    pub(super) before: Option<String>,
    pub(super) expects_new: bool,
    pub(super) is_waited_for: bool,
    pub(super) commands: String,
    pub(super) within: Duration,
    pub(super) deadline: Instant,
}

/// One item: not begun, on its way, or ended.
pub(super) struct Slot {
    is_touched: bool,
    /// Its object; another one when the daemon was restarted.
    path: Option<RequestPath>,
    watched: Option<Watched>,
    /// Where it was seen last, and since when.
    last: Option<(State, Instant)>,
    end: Option<Result<End, KeptError>>,
}

impl Slot {
    fn is_begun(&self) -> bool {
        self.watched.is_some() || self.end.is_some()
    }

    fn is_open(&self) -> bool {
        self.watched.is_some() && self.end.is_none()
    }

    /// From when on another may be begun beside it; `None`: not before it moves on.
    fn leaves_room_at(&self) -> Option<Instant> {
        let (state, since) = self.last.as_ref()?;
        match state.class() {
            Class::CaWorking | Class::CaUnreachable => Some(*since),
            _ if state.as_str() == "SUBMITTING" => Some(*since + SLOW_AUTHORITY),
            _ => Some(*since + STANDSTILL),
        }
    }

    /// Whether certmonger was told anything, and how it ended.
    pub(super) fn into_result(self) -> (bool, Result<End, EntryError>) {
        let end = self.end.unwrap_or_else(|| {
            Err(KeptError::Removed {
                nickname: self.watched.map(|one| one.nickname).unwrap_or_default(),
            })
        });
        (self.is_touched, end.map_err(EntryError::from))
    }
}

/// Asks for each and waits until each is at rest, refused, stuck or late.
///
/// certmonger lets one request at a time write files, and who finds that taken tries again after five seconds. So of
/// those that shall be waited for, the next is begun when the one before is done or the authority thinks about it.
pub(super) fn wait(daemon: &mut Daemon, items: &[&Item<'_>]) -> Vec<Slot> {
    let slot = |item: &&Item<'_>| Slot {
        is_touched: false,
        path: item
            .kept
            .request
            .as_ref()
            .map(|request| request.path.clone()),
        watched: None,
        last: None,
        end: None,
    };
    let mut waiting = Waiting {
        daemon,
        items,
        slots: items.iter().map(slot).collect(),
        poll: POLL,
    };
    if let Err(error) = waiting.run() {
        waiting.fail_all(error);
    }
    waiting.slots
}

struct Waiting<'a, 'i> {
    daemon: &'a mut Daemon,
    items: &'a [&'a Item<'i>],
    slots: Vec<Slot>,
    poll: Duration,
}

impl Waiting<'_, '_> {
    fn open(&self) -> Vec<usize> {
        let each = self.slots.iter().enumerate();
        each.filter(|(_, slot)| slot.is_open())
            .map(|(index, _)| index)
            .collect()
    }

    fn run(&mut self) -> Result<(), KeptError> {
        let mut dirty = Vec::new();
        loop {
            dirty.extend(self.begin_some());
            match self.look(&dirty) {
                Err(Error::WentAway { .. } | Error::NotRunning { .. })
                    if self.daemon.has_signals() =>
                {
                    self.outlast_restart()?;
                    dirty = self.open();
                    continue;
                }
                other => other?,
            }
            if self.room_at().is_some_and(|at| at <= Instant::now()) {
                dirty.clear();
                continue;
            }
            let deadlines = self.slots.iter().filter(|slot| slot.is_open());
            let deadlines =
                deadlines.filter_map(|slot| slot.watched.as_ref().map(|one| one.deadline));
            let Some(deadline) = deadlines.chain(self.room_at()).min() else {
                return Ok(());
            };
            dirty = self.next(deadline)?;
        }
    }

    /// When the next may be begun; `None` when all are, or none may before something changes.
    fn room_at(&self) -> Option<Instant> {
        self.slots.iter().find(|slot| !slot.is_begun())?;
        let now = Instant::now();
        let busy = self.slots.iter().filter(|slot| slot.is_open());
        busy.map(Slot::leaves_room_at)
            .try_fold(now, |latest, at| at.map(|at| at.max(latest)))
    }

    /// Those that nobody is in the way of.
    fn begin_some(&mut self) -> Vec<usize> {
        let mut begun = Vec::new();
        for index in 0..self.slots.len() {
            let is_new = !self.slots[index].is_begun();
            if is_new && (!self.writes_while_waited_for(index) || self.has_room()) {
                self.begin(index);
                begun.push(index);
            }
        }
        begun
    }

    fn has_room(&self) -> bool {
        self.room_at().is_some_and(|at| at <= Instant::now())
    }

    fn writes_while_waited_for(&self, index: usize) -> bool {
        let item = self.items[index];
        item.kept.spec.wait && matches!(item.decision.action, Action::Issue(_))
    }

    fn begin(&mut self, index: usize) {
        let item = self.items[index];
        let begun = begin(self.daemon, item, self.slots[index].path.as_ref());
        let watched = watched(item, &begun);
        let slot = &mut self.slots[index];
        slot.is_touched = begun.is_touched;
        match begun.path {
            Ok(path) => {
                slot.path = Some(path);
                slot.watched = Some(watched);
            }
            Err(error) => slot.end = Some(Err(error)),
        }
    }

    /// Which requests to look at next.
    fn next(&mut self, deadline: Instant) -> Result<Vec<usize>, KeptError> {
        if !self.daemon.has_signals() {
            let left = deadline.saturating_duration_since(Instant::now());
            std::thread::sleep(self.poll.min(left));
            self.poll = (self.poll * 2).min(SLOWEST_POLL);
            return Ok(self.open());
        }
        match self
            .daemon
            .change(deadline.min(Instant::now() + SAFETY_LOOK))?
        {
            Change::Requests(changed) => Ok(self.of(&changed)),
            Change::Nothing => Ok(self.open()),
            Change::Left => {
                self.outlast_restart()?;
                Ok(self.open())
            }
            Change::Returned => {
                self.find_again()?;
                Ok(self.open())
            }
        }
    }

    fn of(&self, changed: &BTreeSet<RequestPath>) -> Vec<usize> {
        let now = Instant::now();
        let concerns = |index: &usize| {
            let slot = &self.slots[*index];
            let is_changed = slot
                .path
                .as_ref()
                .is_some_and(|path| changed.contains(path));
            // Late ones are looked at as well: their limit must not depend on the others being quiet.
            is_changed || slot.watched.as_ref().is_some_and(|one| one.deadline <= now)
        };
        self.open().into_iter().filter(concerns).collect()
    }

    fn look(&mut self, indices: &[usize]) -> Result<(), Error> {
        for index in indices {
            let slot = &mut self.slots[*index];
            let (Some(one), Some(path), None) = (&slot.watched, &slot.path, &slot.end) else {
                continue;
            };
            match self.daemon.state(path) {
                Ok((state, is_stuck)) => {
                    slot.end = judge(self.daemon, one, path, &state, is_stuck)?;
                    if slot.last.as_ref().is_none_or(|(last, _)| *last != state) {
                        slot.last = Some((state, Instant::now()));
                    }
                }
                Err(Error::Daemon { name, .. }) if name.contains("Unknown") => {
                    slot.end = Some(Err(KeptError::Removed {
                        nickname: one.nickname.clone(),
                    }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// certmonger left the bus: its requests are on disk, and it goes on with them when it is back.
    fn outlast_restart(&mut self) -> Result<(), KeptError> {
        let end = Instant::now() + RESTART_GRACE;
        loop {
            match self.daemon.change(end)? {
                Change::Returned => return self.find_again(),
                Change::Nothing => {
                    return Err(KeptError::Lost {
                        within: RESTART_GRACE,
                    });
                }
                Change::Left | Change::Requests(_) => {}
            }
        }
    }

    /// Objects have other numbers after a restart; nicknames stay.
    fn find_again(&mut self) -> Result<(), KeptError> {
        let requests = self.daemon.requests()?;
        for (slot, item) in self.slots.iter_mut().zip(self.items) {
            let before = item.kept.request.as_ref().map(|request| &request.nickname);
            let nickname = match &slot.watched {
                Some(one) => Some(&one.nickname),
                None => before,
            };
            let Some(nickname) = nickname.filter(|_| slot.end.is_none()) else {
                continue;
            };
            let found = requests
                .iter()
                .find(|request| request.nickname == *nickname);
            match found {
                Some(request) => slot.path = Some(request.path.clone()),
                None => {
                    slot.end = Some(Err(KeptError::Removed {
                        nickname: nickname.clone(),
                    }));
                }
            }
        }
        Ok(())
    }

    fn fail_all(&mut self, error: KeptError) {
        let told = EntryError::from(error);
        for slot in self.slots.iter_mut().filter(|slot| slot.end.is_none()) {
            slot.end = Some(Err(KeptError::Told(Box::new(told.share()))));
        }
    }
}

/// Is it over?
fn judge(
    daemon: &mut Daemon,
    one: &Watched,
    path: &RequestPath,
    state: &State,
    is_stuck: bool,
) -> Result<Option<Result<End, KeptError>>, Error> {
    let is_late = Instant::now() >= one.deadline;
    let class = state.class();
    let is_at_rest = match class {
        Class::Monitoring | Class::CaRejected | Class::Stuck => true,
        Class::CaUnreachable => one.is_waited_for,
        Class::Transient | Class::Saving | Class::CaWorking => is_stuck,
    };
    if !is_at_rest && !is_late {
        return Ok(None);
    }
    let request = daemon.request(path)?;
    if request.state != *state && !is_late {
        // It went on between the two questions; its signal is on the way.
        return Ok(None);
    }
    Ok(verdict(one, request, is_late))
}

fn verdict(one: &Watched, request: Tracked, is_late: bool) -> Option<Result<End, KeptError>> {
    let (state, ca_error) = (request.state.clone(), request.ca_error.clone());
    let is_new = !one.expects_new
        || request.cert.is_some() && !same_pem(request.cert.as_deref(), one.before.as_deref());
    let late = |state: State, ca_error| KeptError::Late {
        state,
        ca_error,
        within: one.within,
    };
    Some(match state.class() {
        Class::Monitoring if is_new => Ok(End::Done(Box::new(request))),
        Class::Monitoring => match ca_error {
            Some(said) => Err(KeptError::Refused {
                ca: one.ca.clone(),
                said: said.trim().to_owned(),
            }),
            None if !is_late => return None,
            None => Err(late(state, None)),
        },
        Class::CaRejected => Err(KeptError::Refused {
            ca: one.ca.clone(),
            said: ca_error
                .unwrap_or_else(|| String::from("it gives no reason"))
                .trim()
                .to_owned(),
        }),
        Class::Stuck => Err(KeptError::Stuck { state, ca_error }),
        _ if request.stuck => Err(KeptError::Stuck { state, ca_error }),
        Class::CaUnreachable if one.is_waited_for => Err(KeptError::Unreachable {
            ca: one.ca.clone(),
            ca_error,
        }),
        _ if !one.is_waited_for => Ok(End::Pending(format!("certmonger, state {state}"))),
        Class::Saving if state.as_str().contains("_SAVE") && !one.commands.is_empty() => {
            Err(KeptError::CommandRuns {
                state,
                commands: one.commands.clone(),
                within: one.within,
            })
        }
        _ => Err(late(state, ca_error)),
    })
}

/// Two texts of one certificate: certmonger adds empty lines.
fn same_pem(a: Option<&str>, b: Option<&str>) -> bool {
    let lines = |text: &str| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<String>()
    };
    a.map(lines) == b.map(lines)
}
