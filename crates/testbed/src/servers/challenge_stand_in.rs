// SPDX-License-Identifier: Apache-2.0
//! A stand-in for the web server of a host that proves itself by http-01.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::must;

/// The stand-in; it stops when it is dropped.
#[derive(Debug)]
pub struct ChallengeStandIn {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<HashMap<String, String>>,
    stopped: AtomicBool,
}

impl ChallengeStandIn {
    /// Starts it.
    #[track_caller]
    pub fn start() -> Self {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "cannot listen");
        let port = must(listener.local_addr(), "cannot see the port").port();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if served.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let _ = serve(stream, &served);
            }
        });
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves a text at a path.
    pub fn put(&self, path: &str, text: &str) {
        let mut files = self.files();
        files.insert(path.to_owned(), text.to_owned());
    }

    /// Serves it no more.
    pub fn remove(&self, path: &str) {
        let mut files = self.files();
        files.remove(path);
    }

    /// Whether nothing is served.
    pub fn is_empty(&self) -> bool {
        self.files().is_empty()
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.shared
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ChallengeStandIn {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    while reader.read_line(&mut first)? > 2 {}
    let files = shared.files.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match files.get(&path) {
        Some(text) => ("200 OK", text.as_str()),
        None => ("404 Not Found", ""),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    reader.get_mut().write_all(answer.as_bytes())
}
