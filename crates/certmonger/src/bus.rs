// SPDX-License-Identifier: Apache-2.0
//! What the bus itself is asked: our name on it, and which signals we want.

use crate::Error;
use crate::connection::{Call, Connection};
use crate::wire::{Body, Kind, Message};

/// The bus on itself.
pub(crate) const BUS: &str = "org.freedesktop.DBus";
/// Signals that say that a property changed.
pub(crate) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Answers of the bus that mean: nobody owns the name, or nobody could be started.
const NOBODY: &[&str] = &[
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.systemd1.NoSuchUnit",
    "org.freedesktop.systemd1.UnitMasked",
];
const SPAWN_FAILED: &str = "org.freedesktop.DBus.Error.Spawn.";
const DENIED: &[&str] = &[
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.DBus.Error.AuthFailed",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
];
/// The bus answers so for a service that left with our call unanswered.
const GONE: &[&str] = &[
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.Disconnected",
];

/// Says hello, as every connection to a bus must.
pub(crate) fn hello(connection: &mut Connection) -> Result<(), Error> {
    ask(connection, "Hello", Body::default(), "join the bus").map(drop)
}

/// Subscribes to signals.
pub(crate) fn add_match(connection: &mut Connection, rule: &str) -> Result<(), Error> {
    ask(
        connection,
        "AddMatch",
        Body::default().text(rule),
        "subscribe to signals",
    )
    .map(drop)
}

fn ask(
    connection: &mut Connection,
    method: &str,
    body: Body,
    what: &'static str,
) -> Result<Message, Error> {
    let message = connection.call(&Call {
        destination: BUS,
        path: "/org/freedesktop/DBus",
        interface: BUS,
        method,
        body,
        what,
        may_start: true,
    })?;
    accepted(message, what)
}

/// Takes an error for what it means.
pub(crate) fn accepted(message: Message, what: &'static str) -> Result<Message, Error> {
    if message.kind != Kind::Error {
        return Ok(message);
    }
    let said = message.said();
    let name = message.error_name.unwrap_or_default();
    Err(match name.as_str() {
        name if NOBODY.contains(&name) || name.starts_with(SPAWN_FAILED) => {
            Error::NotRunning { said }
        }
        name if DENIED.contains(&name) => Error::Denied { what, said },
        name if GONE.contains(&name) => Error::WentAway { what },
        _ => Error::Daemon { what, name, said },
    })
}
