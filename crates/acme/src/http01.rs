// SPDX-License-Identifier: Apache-2.0
//! http-01 (RFC 8555 §8.3): a small web server that shows proofs, open only while there is something to prove, and a look
//! at them from outside before the certificate authority is told.
//!
//! One thread serves all listeners and connections. Everybody may connect, so all is bounded: the bytes and the time of a
//! request, the number of connections; the oldest goes when there are too many, so that whoever only holds
//! connections open keeps nobody out. Nothing of a request gets into an answer.

mod connection;
mod holder;
mod publisher;
mod self_check;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::{Error, Result};
use connection::Connection;

pub use publisher::HttpPublisher;
pub use self_check::{Demand, SelfCheck};

/// More connections are not kept: the oldest goes.
const MOST_CONNECTIONS: usize = 256;
/// Between two looks at listeners and connections.
const PAUSE: Duration = Duration::from_millis(4);

/// What is shown: contents by their path.
#[derive(Debug, Default)]
struct Shown {
    files: Mutex<BTreeMap<String, String>>,
    is_closed: AtomicBool,
}

impl Shown {
    fn content(&self, path: &str) -> Option<String> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).cloned()
    }
}

/// The web server. It closes when this is dropped.
#[derive(Debug)]
pub struct Responder {
    shown: Arc<Shown>,
    addresses: Vec<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Listens on all addresses, or on none.
    ///
    /// # Errors
    /// [`Error::Listen`], for a port that is busy with the program that has it.
    pub fn open(addresses: &[SocketAddr]) -> Result<Self> {
        let failed = |address: SocketAddr, error: &std::io::Error| Error::Listen {
            address,
            reason: reason(address, error),
        };
        let mut listeners: Vec<TcpListener> = Vec::new();
        let mut bound = Vec::new();
        // IPv6 first: `::` takes IPv4 as well where the system is set so, and `0.0.0.0` is then no second address.
        let mut wanted = addresses.to_vec();
        wanted.sort_by_key(|address| address.is_ipv4());
        wanted.dedup();
        for address in wanted {
            match listen(address) {
                Ok(listener) => {
                    bound.push(listener.local_addr().unwrap_or(address));
                    listeners.push(listener);
                }
                Err(_) if is_taken_by_us(address, &bound) => {}
                Err(error) => return Err(failed(address, &error)),
            }
        }
        let shown = Arc::new(Shown::default());
        let served = Arc::clone(&shown);
        let thread = Builder::new()
            .name(String::from("http-01"))
            .spawn(move || serve(&listeners, &served));
        let first = bound.first().copied();
        let first = first.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
        Ok(Self {
            shown,
            addresses: bound,
            thread: Some(thread.map_err(|error| failed(first, &error))?),
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Shows a content at a path.
    pub fn show(&self, path: &str, content: &str) {
        self.files().insert(path.to_owned(), content.to_owned());
    }

    /// Shows it no more.
    pub fn hide(&self, path: &str) {
        self.files().remove(path);
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        let files = self.shown.files.lock();
        files.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.shown.is_closed.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, it serves nothing any more either.
            drop(thread.join());
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn is_taken_by_us(address: SocketAddr, bound: &[SocketAddr]) -> bool {
    let all = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port());
    address.ip() == IpAddr::from(Ipv4Addr::UNSPECIFIED) && bound.contains(&all)
}

fn reason(address: SocketAddr, error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => match holder::of(address) {
            Some(holder) => format!("{holder} listens there"),
            None => String::from("somebody listens there"),
        },
        ErrorKind::AddrNotAvailable => String::from("this host has no such address"),
        ErrorKind::PermissionDenied => String::from("ports below 1024 are for root"),
        _ => error.to_string(),
    }
}

fn serve(listeners: &[TcpListener], shown: &Shown) {
    let mut open: Vec<Connection> = Vec::new();
    while !shown.is_closed.load(Ordering::SeqCst) {
        for listener in listeners {
            // Bounded, so that a flood does not keep us from those that are there.
            for _ in 0..MOST_CONNECTIONS {
                let Ok((stream, _)) = listener.accept() else {
                    break;
                };
                if open.len() >= MOST_CONNECTIONS {
                    drop(open.remove(0));
                }
                open.extend(Connection::new(stream));
            }
        }
        open.retain_mut(|connection| connection.goes_on(shown));
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests;
