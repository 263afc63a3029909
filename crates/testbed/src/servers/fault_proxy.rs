// SPDX-License-Identifier: Apache-2.0
//! An HTTPS proxy before an ACME server, which injects what that server cannot do.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use openssl::ssl::{SslContext, SslStream};
use serde_json::{Value, json};

use super::https::{self, Answer, Certificate};
use crate::must;

/// What happens to requests whose method and path contain a text.
#[derive(Clone, Debug)]
pub struct Rule {
    matches: String,
    left: usize,
    skip: usize,
    fault: Fault,
}

#[derive(Clone, Debug)]
enum Fault {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        forward: bool,
    },
    Drop {
        forward: bool,
    },
    Edit(Value),
    EditHeader(String, Option<String>),
    Hang {
        forward: bool,
    },
    Trickle,
}

impl Rule {
    fn new(matches: &str, count: usize, fault: Fault) -> Self {
        Self {
            matches: matches.to_owned(),
            left: count,
            skip: 0,
            fault,
        }
    }

    /// Lets the first so many requests through.
    #[must_use]
    pub fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Answers `count` requests itself, with a fresh nonce of the server.
    pub fn answer(
        matches: &str,
        count: usize,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
            .collect();
        let body = body.into();
        Self::new(
            matches,
            count,
            Fault::Answer {
                status,
                headers,
                body,
                forward: false,
            },
        )
    }

    /// Forwards the request and puts another answer in the place of what comes back: a gateway that gave up too early.
    pub fn replace_answer(
        matches: &str,
        count: usize,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let mut rule = Self::answer(matches, count, status, headers, body);
        if let Fault::Answer { forward, .. } = &mut rule.fault {
            *forward = true;
        }
        rule
    }

    /// Answers with an ACME problem of this type.
    pub fn problem(
        matches: &str,
        count: usize,
        status: u16,
        kind: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let body = json!({
            "type": format!("urn:ietf:params:acme:error:{kind}"),
            "detail": "injected by the fault proxy",
            "status": status,
        });
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/problem+json"));
        Self::answer(matches, count, status, &headers, body.to_string())
    }

    /// Forwards the request and closes the connection instead of answering.
    pub fn lose_answer(matches: &str, count: usize) -> Self {
        Self::new(matches, count, Fault::Drop { forward: true })
    }

    /// Closes the connection and forwards nothing.
    pub fn lose_request(matches: &str, count: usize) -> Self {
        Self::new(matches, count, Fault::Drop { forward: false })
    }

    /// Forwards the request and changes members of the JSON that comes back.
    pub fn edit(matches: &str, count: usize, members: Value) -> Self {
        Self::new(matches, count, Fault::Edit(members))
    }

    /// Forwards the request and sets a header of the answer, or takes it away.
    pub fn edit_header(matches: &str, count: usize, name: &str, value: Option<&str>) -> Self {
        let fault = Fault::EditHeader(name.to_ascii_lowercase(), value.map(str::to_owned));
        Self::new(matches, count, fault)
    }

    /// Takes the request and says nothing, for a minute at most.
    pub fn hang(matches: &str, count: usize) -> Self {
        Self::new(matches, count, Fault::Hang { forward: false })
    }

    /// Forwards the request and keeps the answer, for a minute at most.
    pub fn hang_after(matches: &str, count: usize) -> Self {
        Self::new(matches, count, Fault::Hang { forward: true })
    }

    /// Sends a byte of an endless answer every 100 ms, for a minute at most.
    pub fn trickle(matches: &str, count: usize) -> Self {
        Self::new(matches, count, Fault::Trickle)
    }
}

/// The proxy; it stops when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    certificate: Certificate,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Option<u16>,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl FaultProxy {
    /// Starts it before the server on `upstream`, whose certificate it shows too. Without one every request that no
    /// rule matches is answered by 404.
    #[track_caller]
    pub fn start(upstream: Option<u16>, certificate: &Certificate) -> Self {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "cannot listen");
        let port = must(listener.local_addr(), "cannot see the port").port();
        let shared = Arc::new(Shared {
            upstream,
            rules: Mutex::default(),
            log: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let (acceptor, served) = (certificate.acceptor(), Arc::clone(&shared));
        thread::spawn(move || serve(&listener, &acceptor, &served));
        Self {
            port,
            certificate: certificate.clone(),
            shared,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Who vouches for it.
    pub fn ca_pem(&self) -> &[u8] {
        &self.certificate.pem
    }

    /// Replaces all rules.
    pub fn set(&self, rules: Vec<Rule>) {
        *lock(&self.shared.rules) = rules;
    }

    /// All requests so far, as `METHOD PATH`.
    pub fn log(&self) -> Vec<String> {
        lock(&self.shared.log).clone()
    }

    /// How many requests contained this.
    pub fn count(&self, matches: &str) -> usize {
        let log = lock(&self.shared.log);
        log.iter().filter(|line| line.contains(matches)).count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(listener: &TcpListener, acceptor: &SslContext, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(shared));
        thread::spawn(move || {
            // Who breaks the connection off is the one under test.
            let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
            if let Ok(stream) = https::accept(&acceptor, stream) {
                let _ = converse(stream, &shared);
            }
        });
    }
}

/// Request after request on one connection.
fn converse(stream: SslStream<TcpStream>, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while !shared.stopped.load(Ordering::SeqCst) {
        let (first, headers) = https::read_head(&mut reader)?;
        let body = https::read_body(&mut reader, &headers)?;
        let line = first
            .rsplit_once(' ')
            .map_or(first.as_str(), |(line, _)| line);
        lock(&shared.log).push(line.to_owned());
        let fault = pick(&mut lock(&shared.rules), line);
        let Some(answer) = act(fault, line, &headers, &body, shared, &mut reader)? else {
            return Ok(());
        };
        write(reader.get_mut(), line, &answer)?;
    }
    Ok(())
}

fn pick(rules: &mut [Rule], line: &str) -> Option<Fault> {
    for rule in rules.iter_mut().filter(|rule| line.contains(&rule.matches)) {
        if rule.skip > 0 {
            rule.skip -= 1;
        } else if rule.left > 0 {
            rule.left -= 1;
            return Some(rule.fault.clone());
        }
    }
    None
}

/// `None` closes the connection.
fn act(
    fault: Option<Fault>,
    line: &str,
    headers: &[(String, String)],
    body: &[u8],
    shared: &Shared,
    reader: &mut BufReader<SslStream<TcpStream>>,
) -> std::io::Result<Option<Answer>> {
    let forward = || forward(shared, line, headers, body);
    Ok(match fault {
        None => Some(forward()?),
        Some(Fault::Answer {
            status,
            mut headers,
            body,
            forward: sent,
        }) => {
            if sent {
                forward()?;
            }
            if let Some(nonce) = nonce(shared) {
                headers.push(("replay-nonce".to_owned(), nonce));
            }
            Some((status, headers, body))
        }
        Some(Fault::Drop { forward: sent }) => {
            if sent {
                forward()?;
            }
            None
        }
        Some(Fault::Edit(members)) => {
            let (status, headers, body) = forward()?;
            Some((status, headers, edited(&body, &members)))
        }
        Some(Fault::EditHeader(name, value)) => {
            let (status, mut headers, body) = forward()?;
            headers.retain(|(known, _)| *known != name);
            headers.extend(value.map(|value| (name, value)));
            Some((status, headers, body))
        }
        Some(Fault::Hang { forward: sent }) => {
            if sent {
                forward()?;
            }
            pause(shared, 600, || Ok(()))?;
            None
        }
        Some(Fault::Trickle) => {
            let stream = reader.get_mut();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")?;
            pause(shared, 600, || {
                stream.write_all(b" ")?;
                stream.flush()
            })?;
            None
        }
    })
}

/// So many tenths of a second, if nobody stops it.
fn pause(
    shared: &Shared,
    tenths: u32,
    mut each: impl FnMut() -> std::io::Result<()>,
) -> std::io::Result<()> {
    for _ in 0..tenths {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        each()?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn forward(
    shared: &Shared,
    line: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let Some(port) = shared.upstream else {
        return Ok((404, Vec::new(), Vec::new()));
    };
    let (method, path) = line.split_once(' ').unwrap_or((line, "/"));
    let ours = ["connection", "content-length", "accept-encoding"];
    let headers: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .cloned()
        .collect();
    https::exchange(port, method, path, &headers, body)
}

/// A real one, as a real server would send.
fn nonce(shared: &Shared) -> Option<String> {
    let (_, headers, _) = https::exchange(shared.upstream?, "HEAD", "/nonce-plz", &[], b"").ok()?;
    https::header(&headers, "replay-nonce").map(str::to_owned)
}

fn edited(body: &[u8], members: &Value) -> Vec<u8> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else {
        return body.to_vec();
    };
    for (name, value) in members.as_object().into_iter().flatten() {
        object.insert(name.clone(), value.clone());
    }
    Value::Object(object).to_string().into_bytes()
}

fn write(stream: &mut impl Write, line: &str, answer: &Answer) -> std::io::Result<()> {
    let (status, headers, body) = answer;
    let mut head = format!("HTTP/1.1 {status} Answer\r\n");
    let ours = ["connection", "content-length", "transfer-encoding"];
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| !ours.contains(&name.as_str()))
    {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    // In one piece: two would wait for each other on the loopback.
    let mut whole = head.into_bytes();
    if !line.starts_with("HEAD") {
        whole.extend_from_slice(body);
    }
    stream.write_all(&whole)?;
    stream.flush()
}
