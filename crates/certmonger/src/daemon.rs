// SPDX-License-Identifier: Apache-2.0
//! certmonger itself: its requests and authorities, and what may be asked of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::address::Place;
use crate::authority::Authority;
use crate::bus::{self, BUS, PROPERTIES, accepted};
use crate::connection::{Call, Connection};
use crate::fields::Fields;
use crate::tracked::{Properties, RequestPath, Tracked};
use crate::wire::{Body, Message, Value, WireError};
use crate::{Error, State};

const NAME: &str = "org.fedorahosted.certmonger";
const OBJECT: &str = "/org/fedorahosted/certmonger";
const REQUEST: &str = "org.fedorahosted.certmonger.request";
const CA: &str = "org.fedorahosted.certmonger.ca";

/// Calls on their way at once: a bus lets a user wait for a limited number of answers only (128 on the system bus).
const WINDOW: usize = 32;

/// Whether a bus may start certmonger when it is asked something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It may, where the bus knows how.
    Allowed,
    /// It may not: nothing must change.
    Never,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These requests changed.
    Requests(BTreeSet<RequestPath>),
    /// certmonger left the bus.
    Left,
    /// certmonger is on the bus again; its objects have other numbers now.
    Returned,
    /// Nothing, until the deadline.
    Nothing,
}

/// A connection to certmonger.
pub struct Daemon {
    connection: Connection,
    has_bus: bool,
    may_start: bool,
}

impl Daemon {
    /// Connects; certmonger itself is only asked by the first call. `within` bounds each single answer.
    ///
    /// # Errors
    /// [`Error::NoBus`], [`Error::Authentication`], [`Error::Timeout`].
    pub fn connect(place: &Place, start: Start, within: Duration) -> Result<Self, Error> {
        let mut connection = Connection::open(place.address(), within)?;
        let has_bus = matches!(place, Place::Bus(_));
        if has_bus {
            bus::hello(&mut connection)?;
        }
        Ok(Self {
            connection,
            has_bus,
            may_start: start == Start::Allowed,
        })
    }

    /// Whether there is a bus, which carries signals.
    #[must_use]
    pub fn has_signals(&self) -> bool {
        self.has_bus
    }

    fn prepared<'a>(
        &self,
        path: &'a str,
        interface: &'a str,
        method: &'a str,
        body: Body,
        what: &'static str,
    ) -> Call<'a> {
        Call {
            destination: NAME,
            path,
            interface,
            method,
            body,
            what,
            may_start: self.may_start,
        }
    }

    fn call(
        &mut self,
        path: &str,
        interface: &str,
        method: &str,
        body: Body,
        what: &'static str,
    ) -> Result<Message, Error> {
        let call = self.prepared(path, interface, method, body, what);
        let message = self.connection.call(&call)?;
        accepted(message, what)
    }

    /// Everything that certmonger tracks. One that ends between the two questions is left out.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn requests(&mut self) -> Result<Vec<Tracked>, Error> {
        const WHAT: &str = "read the requests";
        let message = self.call(OBJECT, NAME, "get_requests", Body::default(), WHAT)?;
        let items = message.body.first().map(Value::items).unwrap_or_default();
        let paths: Vec<RequestPath> = items
            .iter()
            .filter_map(|path| path.text().map(|path| RequestPath(path.to_owned())))
            .collect();
        let mut found = Vec::with_capacity(paths.len());
        for window in paths.chunks(WINDOW) {
            for (path, message) in window.iter().zip(self.all_properties(window)?) {
                match accepted(message, WHAT) {
                    Ok(message) => {
                        found.push(Tracked::from_properties(
                            path.clone(),
                            &Properties::new(message.body),
                        ));
                    }
                    Err(Error::Daemon { name, .. }) if name.contains("Unknown") => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    fn all_properties(&mut self, paths: &[RequestPath]) -> Result<Vec<Message>, Error> {
        const WHAT: &str = "read a request";
        let mut serials = Vec::with_capacity(paths.len());
        for path in paths {
            let body = Body::default().text(REQUEST);
            let call = self.prepared(&path.0, PROPERTIES, "GetAll", body, WHAT);
            serials.push(self.connection.send(&call)?);
        }
        let deadline = self.connection.deadline();
        serials
            .into_iter()
            .map(|serial| self.connection.answer(serial, WHAT, deadline))
            .collect()
    }

    /// One request, as it is now.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn request(&mut self, path: &RequestPath) -> Result<Tracked, Error> {
        let body = Body::default().text(REQUEST);
        let message = self.call(&path.0, PROPERTIES, "GetAll", body, "read a request")?;
        Ok(Tracked::from_properties(
            path.clone(),
            &Properties::new(message.body),
        ))
    }

    /// Where a request stands, and whether certmonger calls it stuck.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn state(&mut self, path: &RequestPath) -> Result<(State, bool), Error> {
        let message = self.call(
            &path.0,
            REQUEST,
            "get_status",
            Body::default(),
            "read a state",
        )?;
        match message.body.as_slice() {
            [Value::Text(word), Value::Bool(stuck)] => Ok((State::new(word), *stuck)),
            _ => Err(self.unexpected(&message, "sb")),
        }
    }

    fn unexpected(&self, message: &Message, wanted: &'static str) -> Error {
        Error::Wire {
            from: String::from("certmonger"),
            source: WireError::Type {
                found: message.signature.clone(),
                wanted,
            },
        }
    }

    /// The authority of that nickname.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn authority(&mut self, nickname: &str) -> Result<Option<Authority>, Error> {
        let body = Body::default().text(nickname);
        let message = self.call(OBJECT, NAME, "find_ca_by_nickname", body, "find a CA")?;
        // An unknown nickname is answered with nothing.
        let Some(path) = message
            .body
            .first()
            .and_then(Value::text)
            .map(str::to_owned)
        else {
            return Ok(None);
        };
        self.authority_at(path).map(Some)
    }

    fn authority_at(&mut self, path: String) -> Result<Authority, Error> {
        let body = Body::default().text(CA);
        let message = self.call(&path, PROPERTIES, "GetAll", body, "read a CA")?;
        Ok(Authority::from_properties(
            path,
            &Properties::new(message.body),
        ))
    }

    /// All authorities.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn authorities(&mut self) -> Result<Vec<Authority>, Error> {
        let message = self.call(
            OBJECT,
            NAME,
            "get_known_cas",
            Body::default(),
            "read the CAs",
        )?;
        let items = message.body.first().map(Value::items).unwrap_or_default();
        let paths: Vec<String> = items
            .iter()
            .filter_map(Value::text)
            .map(str::to_owned)
            .collect();
        paths
            .into_iter()
            .map(|path| self.authority_at(path))
            .collect()
    }

    /// Starts tracking; key and certificate are made where they are missing.
    ///
    /// # Errors
    /// See [`Error`]; `certmonger.duplicate` when a request for the file exists.
    pub fn add(&mut self, fields: &Fields) -> Result<RequestPath, Error> {
        let body = Body::default().fields(fields);
        let message = self.call(OBJECT, NAME, "add_request", body, "add a request")?;
        self.accepted_path(&message, "add a request")
    }

    /// Changes what the next submission asks for, or what is done at the next save. Issues nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn modify(&mut self, path: &RequestPath, fields: &Fields) -> Result<RequestPath, Error> {
        let body = Body::default().fields(fields);
        let message = self.call(&path.0, REQUEST, "modify", body, "change a request")?;
        self.accepted_path(&message, "change a request")
    }

    fn accepted_path(&self, message: &Message, what: &'static str) -> Result<RequestPath, Error> {
        match message.body.as_slice() {
            [Value::Bool(true), Value::Text(path)] => Ok(RequestPath(path.clone())),
            [Value::Bool(false), ..] => Err(Error::Daemon {
                what,
                name: String::new(),
                said: String::from("it gives no reason"),
            }),
            _ => Err(self.unexpected(message, "bo")),
        }
    }

    /// Asks the authority again, with the same key.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn resubmit(&mut self, path: &RequestPath) -> Result<(), Error> {
        self.order(
            &path.0,
            REQUEST,
            "resubmit",
            Body::default(),
            "submit a request again",
        )
    }

    /// Asks the authority again, with a new key.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn rekey(&mut self, path: &RequestPath) -> Result<(), Error> {
        self.order(
            &path.0,
            REQUEST,
            "rekey",
            Body::default(),
            "submit a request with a new key",
        )
    }

    /// Stops tracking; the files stay.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn remove(&mut self, path: &RequestPath) -> Result<(), Error> {
        let body = Body::default().path(&path.0);
        self.order(
            OBJECT,
            NAME,
            "remove_request",
            body,
            "stop tracking a request",
        )
    }

    fn order(
        &mut self,
        path: &str,
        interface: &str,
        method: &str,
        body: Body,
        what: &'static str,
    ) -> Result<(), Error> {
        let message = self.call(path, interface, method, body, what)?;
        match message.body.first() {
            Some(Value::Bool(true)) => Ok(()),
            Some(Value::Bool(false)) => Err(Error::Daemon {
                what,
                name: String::new(),
                said: String::from("it gives no reason"),
            }),
            _ => Err(self.unexpected(&message, "b")),
        }
    }

    /// From now on [`Self::change`] tells what happens. Without a bus nothing is carried, and it only sleeps.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn watch(&mut self) -> Result<(), Error> {
        if !self.has_bus {
            return Ok(());
        }
        bus::add_match(
            &mut self.connection,
            &format!(
                "type='signal',sender='{NAME}',interface='{PROPERTIES}',member='PropertiesChanged'"
            ),
        )?;
        bus::add_match(
            &mut self.connection,
            &format!(
                "type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{NAME}'"
            ),
        )
    }

    /// Waits for the next change; everything that has come already is told at once.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn change(&mut self, deadline: Instant) -> Result<Change, Error> {
        let mut paths = BTreeSet::new();
        let mut next = self.connection.signal("wait for signals", deadline)?;
        while let Some(signal) = next {
            if signal.member.as_deref() == Some("NameOwnerChanged") {
                // Objects of before mean nothing any more, so what was collected is dropped.
                let owner = signal.body.get(2).and_then(Value::text).unwrap_or_default();
                return Ok(if owner.is_empty() {
                    Change::Left
                } else {
                    Change::Returned
                });
            }
            paths.extend(signal.path.map(RequestPath));
            next = self.connection.waiting_signal();
        }
        Ok(if paths.is_empty() {
            Change::Nothing
        } else {
            Change::Requests(paths)
        })
    }
}
