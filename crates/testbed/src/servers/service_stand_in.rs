// SPDX-License-Identifier: Apache-2.0
//! A stand-in for a web service that no package has: a function answers its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::must;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl Asked {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

type Handler = Box<dyn FnMut(&Asked) -> (u16, Value) + Send>;

/// The stand-in; it stops when it is dropped. It answers one request at a time.
pub struct ServiceStandIn {
    port: u16,
    stopped: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
    header: Arc<Mutex<String>>,
}

impl ServiceStandIn {
    /// Starts it; `answer` gives status and JSON for each request.
    #[track_caller]
    pub fn start(answer: impl FnMut(&Asked) -> (u16, Value) + Send + 'static) -> Self {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "cannot listen");
        let port = must(listener.local_addr(), "cannot see the port").port();
        let stopped = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let header = Arc::new(Mutex::new(String::new()));
        let (until, log) = (Arc::clone(&stopped), Arc::clone(&asked));
        let every = Arc::clone(&header);
        let mut answer: Handler = Box::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let line = every.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let _ = serve(stream, &log, &line, &mut answer);
            }
        });
        Self {
            port,
            stopped,
            asked,
            header,
        }
    }

    /// With a header in each answer.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        let line = format!("{name}: {value}\r\n");
        *self.header.lock().unwrap_or_else(PoisonError::into_inner) = line;
        self
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

impl Drop for ServiceStandIn {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Asked>>,
    header: &str,
    answer: &mut Handler,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let asked = Asked {
        method,
        path,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let (status, said) = answer(&asked);
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let said = said.to_string();
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{header}\r\n{said}",
        said.len()
    );
    reader.get_mut().write_all(answer.as_bytes())
}
