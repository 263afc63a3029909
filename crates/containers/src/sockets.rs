// SPDX-License-Identifier: Apache-2.0
//! The Unix sockets at which processes of a container listen, and a conversation over one of them.
//!
//! `/proc/PID/net/unix` has the path that was bound, by the names of the container. It is reached from outside as files
//! are ([`Root`]): a link in the container leads to no socket of the host. A directory may be shared between containers
//! all the same, so the peer must be a process that the caller knows.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use crate::inside::Root;
use crate::processes::{Process, process};
use crate::{Error, Result};

/// What a program says of itself is some kilobytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// A Unix socket at which a process listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The path that was bound, as the container names it.
    pub path: PathBuf,
    /// A process that has it open, on the host.
    pub pid: u32,
}

/// The listening stream sockets of some processes that have an absolute path; a process that ends meanwhile has none.
pub fn listening(processes: &[&Process]) -> Vec<Listening> {
    let mut tables: BTreeMap<PathBuf, Vec<(u64, PathBuf)>> = BTreeMap::new();
    let mut found = Vec::new();
    for each in processes {
        let base = Path::new("/proc").join(each.pid.to_string());
        let Ok(network) = fs::read_link(base.join("ns/net")) else {
            continue;
        };
        let table = tables.entry(network).or_insert_with(|| {
            let text = fs::read(base.join("net/unix")).unwrap_or_default();
            rows(&String::from_utf8_lossy(&text))
        });
        let open = inodes(&base);
        let own = table.iter().filter(|(inode, _)| open.contains(inode));
        found.extend(own.map(|(_, path)| Listening {
            path: path.clone(),
            pid: each.pid,
        }));
    }
    found
}

/// Lines `Num RefCount Protocol Flags Type St Inode Path`: those of stream sockets that accept connections.
fn rows(text: &str) -> Vec<(u64, PathBuf)> {
    let row = |line: &str| {
        let mut rest = line;
        let mut fields = Vec::new();
        for _ in 0..7 {
            let (field, after) = rest.trim_start().split_once(' ')?;
            fields.push(field);
            rest = after;
        }
        let is_listening = fields.get(3) == Some(&"00010000") && fields.get(4) == Some(&"0001");
        let inode = fields.get(6)?.parse().ok()?;
        (is_listening && rest.starts_with('/')).then(|| (inode, PathBuf::from(rest)))
    };
    text.lines().filter_map(row).collect()
}

fn inodes(base: &Path) -> HashSet<u64> {
    let Ok(entries) = fs::read_dir(base.join("fd")) else {
        return HashSet::new();
    };
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inode = |target: PathBuf| {
        let number = target.to_str()?.strip_prefix("socket:[")?;
        number.strip_suffix(']')?.parse().ok()
    };
    targets.filter_map(inode).collect()
}

/// A conversation over a Unix socket, with a deadline over all of it.
#[derive(Debug)]
pub struct Dialogue<'a> {
    stream: UnixStream,
    deadline: Instant,
    /// Received and not yet used.
    buffer: Vec<u8>,
    root: &'a Root,
    path: PathBuf,
}

impl Root {
    /// Connects to a socket of the container at which one of its processes listens.
    pub fn dialogue<'a>(
        &'a self,
        path: &Path,
        members: &[Process],
        limit: Duration,
    ) -> Result<Dialogue<'a>> {
        let failed = |source: io::Error| self.failed("connect to", path, source);
        let deadline = crate::deadline::deadline(limit);
        let place = self
            .open(path, OFlags::PATH)
            .map_err(|errno| failed(errno.into()))?;
        // The place is held; this link leads to it and nowhere else.
        let held = format!("/proc/self/fd/{}", place.as_raw_fd());
        let stream = connect(Path::new(&held), deadline).map_err(failed)?;
        is_known(&stream, members).map_err(failed)?;
        Ok(Dialogue {
            stream,
            deadline,
            buffer: Vec::new(),
            root: self,
            path: path.to_owned(),
        })
    }
}

impl Dialogue<'_> {
    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = self.left("write to")?;
            let sent = self.stream.set_write_timeout(Some(left));
            let sent = sent.and_then(|()| self.stream.write(rest));
            match sent {
                Ok(0) => return Err(self.failed("write to", ErrorKind::WriteZero.into())),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("write to", timed_out(error))),
            }
        }
        Ok(())
    }

    /// Gives the rest of the conversation so much time, from now on.
    pub fn allow(&mut self, limit: Duration) {
        self.deadline = crate::deadline::deadline(limit);
    }

    /// Everything until the peer closes.
    pub fn rest(mut self) -> Result<Vec<u8>> {
        while self.more()? {}
        Ok(self.buffer)
    }

    /// The next line, without its end; what is left where the peer closes.
    pub fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            if !self.more()? {
                return Ok(std::mem::take(&mut self.buffer));
            }
        }
    }

    /// Receives some; false if the peer has closed.
    fn more(&mut self) -> Result<bool> {
        let mut chunk = [0; 4096];
        loop {
            let left = self.left("read from")?;
            let got = self.stream.set_read_timeout(Some(left));
            match got.and_then(|()| self.stream.read(&mut chunk)) {
                Ok(count) => {
                    self.buffer
                        .extend_from_slice(chunk.get(..count).unwrap_or_default());
                    if self.buffer.len() > ANSWER_LIMIT {
                        let long = io::Error::other("the answer is longer than 1 MiB");
                        return Err(self.failed("read from", long));
                    }
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("read from", timed_out(error))),
            }
        }
    }

    fn left(&self, what: &'static str) -> Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.failed(what, too_slow()));
        }
        Ok(left)
    }

    fn failed(&self, what: &'static str, source: io::Error) -> Error {
        self.root.failed(what, &self.path, source)
    }
}

/// A time limit of a socket shows as this.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => too_slow(),
        _ => error,
    }
}

fn too_slow() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "it does not answer in time")
}

/// Connects without waiting for ever on somebody that accepts nobody: its queue is full, the kernel says EAGAIN.
pub(crate) fn connect(path: &Path, deadline: Instant) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    loop {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(Errno::AGAIN | Errno::INTR) => return Err(too_slow()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The kernel knows who called `listen`. One that has ended may have left the socket to its successor, as HAProxy's
/// workers do; one that lives and is nobody of the container is somebody else.
fn is_known(stream: &UnixStream, members: &[Process]) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).unwrap_or(0);
    let is_member = members.iter().any(|each| each.pid == pid);
    if is_member || process(pid).is_none() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "process {pid} listens there, which is not of the container"
    )))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn own() -> Process {
        process(std::process::id()).unwrap()
    }

    #[test]
    fn our_own_listening_socket_is_found_by_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("with space.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let found = listening(&[&own()]);
        assert!(found.iter().any(|each| each.path == path), "{found:?}");
    }

    #[test]
    fn only_stream_sockets_that_listen_count() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            1: 00000002 00000000 00010000 0001 01 11 /run/a.sock\n\
            2: 00000003 00000000 00000000 0001 03 12 /run/a.sock\n\
            3: 00000002 00000000 00000000 0002 01 13 /dev/log\n\
            4: 00000002 00000000 00010000 0001 01 14 @abstract\n\
            5: 00000003 00000000 00000000 0001 03 15\n";
        assert_eq!(rows(text), [(11, PathBuf::from("/run/a.sock"))]);
    }

    #[test]
    fn a_conversation_goes_to_and_fro() {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("s")).unwrap();
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut heard = [0; 3];
            peer.read_exact(&mut heard).unwrap();
            peer.write_all(b"one\r\ntwo").unwrap();
            heard
        });
        let root = Root::at(directory.path());
        let mut dialogue = root.dialogue(Path::new("/s"), &[own()], SOON).unwrap();
        dialogue.send(b"hi\n").unwrap();
        assert_eq!(dialogue.line().unwrap(), b"one");
        assert_eq!(dialogue.rest().unwrap(), b"two");
        assert_eq!(&server.join().unwrap(), b"hi\n");
    }

    #[test]
    fn a_link_to_a_socket_of_the_host_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(outside.path().join("host.sock")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let inner = outside.path().join("root");
        fs::create_dir(&inner).unwrap();
        symlink(outside.path().join("host.sock"), inner.join("absolute")).unwrap();
        symlink("../host.sock", inner.join("up")).unwrap();
        let root = Root::at(&inner);
        for path in ["/absolute", "/up", "/../host.sock"] {
            assert!(root.dialogue(Path::new(path), &[own()], SOON).is_err());
        }
        assert!(listener.accept().is_err(), "nobody came");
    }

    #[test]
    fn who_is_not_of_the_container_is_told_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let _listener = UnixListener::bind(directory.path().join("s")).unwrap();
        let root = Root::at(directory.path());
        let refused = root.dialogue(Path::new("/s"), &[], SOON).unwrap_err();
        let why = std::error::Error::source(&refused).unwrap().to_string();
        assert!(why.ends_with("which is not of the container"), "{why}");
    }

    #[test]
    fn one_that_says_nothing_is_waited_for_only_so_long() {
        let directory = tempfile::tempdir().unwrap();
        let _listener = UnixListener::bind(directory.path().join("s")).unwrap();
        let root = Root::at(directory.path());
        let limit = Duration::from_millis(100);
        let began = Instant::now();
        let dialogue = root.dialogue(Path::new("/s"), &[own()], limit).unwrap();
        assert!(dialogue.rest().is_err());
        assert!(began.elapsed() < SOON);
    }
}
