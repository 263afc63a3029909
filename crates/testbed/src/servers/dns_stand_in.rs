// SPDX-License-Identifier: Apache-2.0
//! A stand-in for a recursive name server: it answers the records that a test gives it, over UDP and TCP.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::must;

const TYPE_A: u16 = 1;
const TYPE_TXT: u16 = 16;
const TYPE_AAAA: u16 = 28;

/// The stand-in; it stops when it is dropped.
#[derive(Debug)]
pub struct DnsStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// The data of records by name and type.
type Records = HashMap<(String, u16), Vec<Vec<u8>>>;

#[derive(Debug)]
struct Shared {
    records: Mutex<Records>,
    /// What every name without a record has as its address; none: no such name.
    any: Option<IpAddr>,
    cut_off: AtomicBool,
    questions: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl DnsStandIn {
    /// Starts it; with `any` every name has this address.
    #[track_caller]
    pub fn start(any: Option<IpAddr>) -> Self {
        let (udp, tcp) = must(sockets(), "cannot listen on one port over UDP and TCP");
        let address = must(udp.local_addr(), "cannot see the port");
        let shared = Arc::new(Shared {
            records: Mutex::default(),
            any,
            cut_off: AtomicBool::new(false),
            questions: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        must(
            udp.set_read_timeout(Some(Duration::from_millis(100))),
            "cannot set a time limit",
        );
        let served = Arc::clone(&shared);
        thread::spawn(move || serve_udp(&udp, &served));
        let served = Arc::clone(&shared);
        thread::spawn(move || serve_tcp(&tcp, &served));
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives a name an address.
    pub fn add_address(&self, name: &str, address: IpAddr) {
        let (kind, data) = match address {
            IpAddr::V4(ip) => (TYPE_A, ip.octets().to_vec()),
            IpAddr::V6(ip) => (TYPE_AAAA, ip.octets().to_vec()),
        };
        self.add(name, kind, data);
    }

    /// Gives a name a text of up to 255 bytes, beside those that it has.
    pub fn add_txt(&self, name: &str, text: &str) {
        let size = must(u8::try_from(text.len()), "a text has up to 255 bytes");
        let mut data = vec![size];
        data.extend_from_slice(text.as_bytes());
        self.add(name, TYPE_TXT, data);
    }

    /// Cuts off every answer over UDP from now on.
    pub fn cut_off(&self) {
        self.shared.cut_off.store(true, Ordering::SeqCst);
    }

    /// The names that were asked for.
    pub fn questions(&self) -> Vec<String> {
        lock(&self.shared.questions).clone()
    }

    fn add(&self, name: &str, kind: u16, data: Vec<u8>) {
        let key = (name.trim_end_matches('.').to_ascii_lowercase(), kind);
        lock(&self.shared.records)
            .entry(key)
            .or_default()
            .push(data);
    }
}

impl Drop for DnsStandIn {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(std::net::TcpStream::connect(self.address));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One port for both.
fn sockets() -> std::io::Result<(UdpSocket, TcpListener)> {
    for _ in 0..20 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        if let Ok(tcp) = TcpListener::bind(udp.local_addr()?) {
            return Ok((udp, tcp));
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

fn serve_udp(socket: &UdpSocket, shared: &Shared) {
    let mut question = [0; 1500];
    while !shared.stopped.load(Ordering::SeqCst) {
        let Ok((size, from)) = socket.recv_from(&mut question) else {
            continue;
        };
        let Some(mut answer) = answer(question.get(..size).unwrap_or_default(), shared) else {
            continue;
        };
        if shared.cut_off.load(Ordering::SeqCst) || answer.len() > 512 {
            answer.truncate(size.min(answer.len()));
            // Truncated, and no answers.
            answer[2] |= 0x02;
            answer[7] = 0;
        }
        let _ = socket.send_to(&answer, from);
    }
}

fn serve_tcp(listener: &TcpListener, shared: &Shared) {
    for mut stream in listener.incoming().flatten() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let mut size = [0; 2];
        if stream.read_exact(&mut size).is_err() {
            continue;
        }
        let mut question = vec![0; u16::from_be_bytes(size).into()];
        if stream.read_exact(&mut question).is_err() {
            continue;
        }
        if let Some(answer) = answer(&question, shared) {
            let size = u16::try_from(answer.len()).unwrap_or(0).to_be_bytes();
            let _ = stream.write_all(&[&size[..], &answer].concat());
        }
    }
}

/// `None` for what is no question.
fn answer(message: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    let (name, end) = name(message)?;
    let kind = u16::from_be_bytes(message.get(end..end + 2)?.try_into().ok()?);
    lock(&shared.questions).push(name.clone());
    let records = lock(&shared.records);
    let mut found = records
        .get(&(name.clone(), kind))
        .cloned()
        .unwrap_or_default();
    let is_known = shared.any.is_some() || records.keys().any(|(known, _)| *known == name);
    if found.is_empty() {
        found.extend(match (shared.any, kind) {
            (Some(IpAddr::V4(ip)), TYPE_A) => Some(ip.octets().to_vec()),
            (Some(IpAddr::V6(ip)), TYPE_AAAA) => Some(ip.octets().to_vec()),
            _ => None,
        });
    }
    // An answer, recursion available; NXDOMAIN if nobody knows the name.
    let mut answer = message.get(..2)?.to_vec();
    answer.extend_from_slice(&[0x81, if is_known { 0x80 } else { 0x83 }, 0, 1]);
    answer.extend_from_slice(&u16::try_from(found.len()).ok()?.to_be_bytes());
    answer.extend_from_slice(&[0; 4]);
    answer.extend_from_slice(message.get(12..end + 4)?);
    for data in found {
        // The name of the question, its type, class IN, no time to live.
        answer.extend_from_slice(&[0xc0, 12]);
        answer.extend_from_slice(&kind.to_be_bytes());
        answer.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
        answer.extend_from_slice(&u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend_from_slice(&data);
    }
    Some(answer)
}

/// The name of the question and where it ends.
fn name(message: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let size = usize::from(*message.get(at)?);
        let label = message.get(at + 1..at + 1 + size)?;
        at += 1 + size;
        if size == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
    }
}
