// SPDX-License-Identifier: Apache-2.0
//! BIND's `named`, as Debian has it, in a private directory.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::free_port;
use crate::{Sandbox, must};

/// How long it may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);
const PROGRAM: &str = "/usr/sbin/named";
/// The secret of the control channel; nothing but the loopback reaches it.
const RNDC: &str = "key \"rndc\" { algorithm hmac-sha256; secret \"cm5kYyBvZiBhIHRlc3Q=\"; };\n";

/// A running `named`. It is killed when this is dropped.
#[derive(Debug)]
pub struct Named {
    process: Child,
    directory: Sandbox,
    address: SocketAddr,
    control_port: u16,
}

impl Named {
    /// Starts one at `address` and waits until it answers. `options` goes into the `options` block of its
    /// configuration, `rest` behind it; `files` are put into its directory, which relative names are looked for in.
    #[track_caller]
    pub fn start(address: SocketAddr, options: &str, rest: &str, files: &[(&str, String)]) -> Self {
        let directory = Sandbox::new();
        for (name, content) in files {
            directory.write(name, content);
        }
        directory.write("rndc.key", RNDC);
        // Somebody else may take the port of the control channel between our look and its bind; it would run without.
        for _ in 0..10 {
            let control_port = free_port();
            let (ip, port, place) = (address.ip(), address.port(), directory.path().display());
            let configuration = format!(
                "{RNDC}controls {{ inet 127.0.0.1 port {control_port} allow {{ 127.0.0.0/8; }} keys {{ \"rndc\"; }}; }};\n\
                 options {{ directory \"{place}\"; pid-file \"named.pid\"; session-keyfile none;\n\
                 listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }}; dnssec-validation no; empty-zones-enable no; {options} }};\n{rest}\n"
            );
            directory.write("named.conf", configuration);
            let mut process = spawn(&directory);
            if wait(&mut process, &directory, address) {
                return Self {
                    process,
                    directory,
                    address,
                    control_port,
                };
            }
            end(&mut process);
        }
        must(Err("ten ports were taken"), "cannot start named")
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The path of a file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The argument list that gives it this command by `rndc`.
    pub fn rndc_argv(&self, command: &[&str]) -> Vec<String> {
        let (key, port) = (self.file("rndc.key"), self.control_port.to_string());
        let key = key.to_string_lossy().into_owned();
        let fixed = ["rndc", "-s", "127.0.0.1", "-p", &port, "-k", &key];
        let words = fixed.iter().chain(command);
        words.map(|word| (*word).to_owned()).collect()
    }

    /// Gives it a command by `rndc`, which must work.
    #[track_caller]
    pub fn rndc(&self, command: &[&str]) {
        let argv = self.rndc_argv(command);
        let output = must(
            Command::new(&argv[0]).args(&argv[1..]).output(),
            "cannot start rndc",
        );
        assert!(output.status.success(), "{argv:?}: {output:?}");
    }

    /// What `dig +short` says of it.
    #[track_caller]
    pub fn dig(&self, words: &[&str]) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        let mut command = Command::new("dig");
        command.args([&format!("@{ip}"), "-p", &port.to_string(), "+short"]);
        let output = must(command.args(words).output(), "cannot start dig");
        said(output)
    }

    /// Stops it in its tracks: it keeps its ports and answers nothing, until [`Self::resume`].
    #[track_caller]
    pub fn pause(&self) {
        self.signal("-STOP");
        let status = format!("/proc/{}/status", self.process.id());
        while !must(fs::read_to_string(&status), "it has ended").contains("State:\tT") {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on.
    #[track_caller]
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// What it logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.directory.read("log")).into_owned()
    }

    #[track_caller]
    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(must(status, "cannot start kill").success());
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// It may have ended by itself; the test has its verdict. SIGKILL ends a stopped one as well.
fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// Waits until it answers; false if it has no control channel.
#[track_caller]
fn wait(process: &mut Child, directory: &Sandbox, address: SocketAddr) -> bool {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let log = String::from_utf8_lossy(&directory.read("log")).into_owned();
        if TcpStream::connect(address).is_ok() && log.contains(" running\n") {
            return log.contains("command channel listening");
        }
        let ended = must(process.try_wait(), "cannot look after named");
        assert!(
            ended.is_none() && Instant::now() < deadline,
            "named does not answer at {address}: {log}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One worker, in the foreground, as whoever runs the test: its directory is theirs.
#[track_caller]
fn spawn(directory: &Sandbox) -> Child {
    let log = must(File::create(directory.join("log")), "cannot make a log");
    let errors = must(log.try_clone(), "cannot share the log");
    let mut command = Command::new(program(directory));
    command.args(["-g", "-n", "1", "-c"]);
    command.arg(directory.join("named.conf"));
    let command = command.stdin(Stdio::null()).stdout(log).stderr(errors);
    must(
        command.spawn(),
        "cannot start named; scripts/setup-debian test installs it",
    )
}

/// Debian's AppArmor profile belongs to the path /usr/sbin/named and keeps it to /etc/bind and its own places. Where
/// profiles are in force, a copy in the private directory runs, which has no profile; none of the host is changed.
#[track_caller]
fn program(directory: &Sandbox) -> PathBuf {
    let enabled = fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    if !enabled.is_ok_and(|text| text.trim() == "Y") {
        return PROGRAM.into();
    }
    let copy = directory.join("named");
    must(fs::copy(PROGRAM, &copy), "cannot copy named");
    copy
}

/// Addresses of the loopback whose ports are free for UDP and TCP.
#[track_caller]
pub fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    std::array::from_fn(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())))
}

#[track_caller]
pub(super) fn said(output: Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
