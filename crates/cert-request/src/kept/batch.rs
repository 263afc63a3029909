// SPDX-License-Identifier: Apache-2.0
//! All certificates of a task at once: everything is asked of certmonger first, then one wait is for all.

use std::time::{Duration, Instant};

use certmonger::{Daemon, Place, RequestPath, Tracked};

use super::orders::{Orders, Submission, orders};
use super::wait::{Slot, Watched, wait};
use super::{Daemons, Kept, KeptError};
use crate::decide::{Action, Decision};
use crate::failure::EntryError;
use crate::observe::{Observation, Presence};
use crate::request::{Content, Entry};

/// One certificate with all that is known of it.
pub struct Item<'a> {
    /// What is wished.
    pub entry: &'a Entry,
    /// What certmonger knows.
    pub kept: &'a Kept,
    /// What is on the host.
    pub seen: &'a Observation,
    /// What was decided.
    pub decision: &'a Decision,
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// At rest.
    Done(Box<Tracked>),
    /// Not yet, and nobody wanted to wait; the text says for what.
    Pending(String),
}

/// What became of one certificate.
pub struct Settled {
    /// Whether certmonger was told anything that it keeps.
    pub is_touched: bool,
    /// How it ended.
    pub result: Result<End, EntryError>,
    /// The judge, with what certmonger knows of the authority now.
    pub issuer: issuers::Certmonger,
}

/// Does what was decided, for all; the results are in the order of the items.
pub fn carry_out(items: &[Item<'_>], daemons: &Daemons) -> Vec<Settled> {
    let mut settled: Vec<Option<Settled>> = items.iter().map(|_| None).collect();
    let mut places: Vec<&Place> = items.iter().map(|item| &item.kept.place).collect();
    places.sort();
    places.dedup();
    for place in places {
        let of_place = |(_, item): &(usize, &Item<'_>)| item.kept.place == *place;
        let here: Vec<(usize, &Item<'_>)> = items.iter().enumerate().filter(of_place).collect();
        let results = at_place(&here, place, daemons);
        for ((index, _), result) in here.into_iter().zip(results) {
            settled[index] = Some(result);
        }
    }
    // Each item is at one of the places.
    settled.into_iter().flatten().collect()
}

fn at_place(items: &[(usize, &Item<'_>)], place: &Place, daemons: &Daemons) -> Vec<Settled> {
    let items: Vec<&Item<'_>> = items.iter().map(|(_, item)| *item).collect();
    let untold = |error: KeptError| -> Vec<Settled> {
        let error = EntryError::from(error);
        items
            .iter()
            .map(|item| untouched(item, error.share()))
            .collect()
    };
    let book = match daemons.at(place) {
        Ok(book) => book,
        Err(error) => return untold(error),
    };
    let mut daemon = book.daemon();
    if let Err(error) = daemon.watch() {
        return untold(KeptError::from(error));
    }
    let slots = wait(&mut daemon, &items);
    let settle = |(item, slot): (&&Item<'_>, Slot)| {
        let result = slot.into_result();
        let issuer = judge(&mut daemon, item, &result.1);
        Settled {
            is_touched: result.0,
            result: result.1,
            issuer,
        }
    };
    items.iter().zip(slots).map(settle).collect()
}

fn untouched(item: &Item<'_>, error: EntryError) -> Settled {
    Settled {
        is_touched: false,
        result: Err(error),
        issuer: known(item, &item.kept.authority, None),
    }
}

fn known(
    item: &Item<'_>,
    authority: &certmonger::Authority,
    cert: Option<&str>,
) -> issuers::Certmonger {
    issuers::Certmonger::new(
        &item.kept.spec.ca,
        &authority.roots,
        &authority.others,
        cert,
    )
}

/// The authority may have renewed itself, or certmonger may only now have fetched its root.
fn judge(
    daemon: &mut Daemon,
    item: &Item<'_>,
    result: &Result<End, EntryError>,
) -> issuers::Certmonger {
    let Ok(End::Done(request)) = result else {
        return known(item, &item.kept.authority, None);
    };
    let now = daemon.authority(&item.kept.spec.ca).ok().flatten();
    let authority = now.as_ref().unwrap_or(&item.kept.authority);
    known(item, authority, request.cert.as_deref())
}

/// A certificate on its way.
pub(super) struct Begun {
    pub(super) is_touched: bool,
    pub(super) expects_new: bool,
    pub(super) path: Result<RequestPath, KeptError>,
}

/// Asks certmonger for one certificate; `known` is where its request is now.
pub(super) fn begin(daemon: &mut Daemon, item: &Item<'_>, known: Option<&RequestPath>) -> Begun {
    let files = item.entry.files.iter().zip(&item.seen.files);
    let has_files = files.into_iter().any(|(file, seen)| {
        file.content.is_written_by_certmonger() && seen.presence != Presence::Absent
    });
    let orders = orders(item.entry, item.kept, item.decision.action, has_files);
    let mut is_touched = false;
    let path =
        clear_unreadable_key(item).and_then(|()| follow(daemon, known, &orders, &mut is_touched));
    // What the authority has been asked for already, or is being asked for, must become a certificate as well.
    let is_asked = |request: &Tracked| request.state.is_asking();
    Begun {
        is_touched,
        expects_new: orders.expects_new || item.kept.request.as_ref().is_some_and(is_asked),
        path,
    }
}

/// certmonger takes a key that it cannot read for an encrypted one, and waits for its PIN for ever.
fn clear_unreadable_key(item: &Item<'_>) -> Result<(), KeptError> {
    let files = item.entry.files.iter().zip(&item.seen.files);
    let is_damaged = |(file, seen): &(&crate::request::FileSpec, &crate::observe::FileFacts)| {
        matches!(file.content, Content::PrivateKey)
            && matches!(seen.presence, Presence::Unreadable(_))
    };
    if matches!(item.decision.action, Action::Issue(_))
        && let Some((file, _)) = files.into_iter().find(is_damaged)
    {
        let path = file.target.path.clone();
        tls_files::remove(item.entry.name.as_str(), &[path])
            .map_err(|error| KeptError::Told(Box::new(EntryError::from(error))))?;
    }
    Ok(())
}

fn follow(
    daemon: &mut Daemon,
    known: Option<&RequestPath>,
    orders: &Orders,
    is_touched: &mut bool,
) -> Result<RequestPath, KeptError> {
    if let (true, Some(path)) = (orders.is_removed_first, known) {
        daemon.remove(path)?;
        *is_touched = true;
    }
    let path = match known {
        Some(path) if !orders.is_added => {
            if !orders.fields.is_empty() {
                daemon.modify(path, &orders.fields)?;
                *is_touched = true;
            }
            path.clone()
        }
        _ => {
            let path = daemon.add(&orders.fields)?;
            *is_touched = true;
            path
        }
    };
    match orders.submission {
        Submission::None => return Ok(path),
        Submission::SameKey => daemon.resubmit(&path)?,
        Submission::NewKey => daemon.rekey(&path)?,
    }
    *is_touched = true;
    Ok(path)
}

/// What is waited for.
pub(super) fn watched(item: &Item<'_>, begun: &Begun) -> Watched {
    let spec = &item.kept.spec;
    let request = item.kept.request.as_ref();
    let nickname = request.map_or(&spec.nickname, |request| &request.nickname);
    // Without `wait` one look is taken: what is refused or done at once is told.
    let within = if spec.wait {
        spec.wait_timeout
    } else {
        Duration::ZERO
    };
    Watched {
        nickname: nickname.clone(),
        ca: spec.ca.clone(),
        before: request
            .and_then(|request| request.cert.clone())
            .or_else(|| item.seen.certificate.as_ref().map(pki::Certificate::to_pem))
            .filter(|_| begun.expects_new),
        expects_new: begun.expects_new,
        is_waited_for: spec.wait,
        commands: commands(item),
        within,
        deadline: Instant::now() + within,
    }
}

/// The commands of the user, for the message that one of them does not end.
fn commands(item: &Item<'_>) -> String {
    let spec = &item.kept.spec;
    let request = item.kept.request.as_ref();
    let pre = spec
        .pre_save
        .as_deref()
        .or_else(|| request.and_then(|request| request.pre_save.as_deref()));
    let post = spec
        .post_save
        .as_deref()
        .or_else(|| request.and_then(|request| request.post_save.as_deref()));
    let named = [("pre_save", pre), ("post_save", post)];
    let texts: Vec<String> = named
        .iter()
        .filter_map(|(option, command)| command.map(|command| format!("{option} '{command}'")))
        .collect();
    texts.join(", ")
}
