// SPDX-License-Identifier: Apache-2.0
//! Independent witnesses: what the `openssl` command line (and `keytool`) says of what we made.
//!
//! Each gives back what the program printed on standard output, or everything it said if it refused. The
//! program of the host is asked, not the library that we link.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// How long a program or a handshake may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What a witness said, or why it refused with all that it printed.
pub type Testimony = Result<String, String>;

/// `openssl verify`: the leaf, for the name (a DNS name or an IP address; none if empty), with the intermediates
/// in `untrusted` up to a root in `ca`. All are PEM; `untrusted` may be empty.
pub fn verify(
    ca: impl AsRef<[u8]>,
    untrusted: impl AsRef<[u8]>,
    leaf: impl AsRef<[u8]>,
    name: &str,
) -> Testimony {
    verify_with(&[], ca.as_ref(), untrusted.as_ref(), leaf.as_ref(), name)
}

/// As [`verify`], and with every rule of RFC 5280 that OpenSSL has behind `-x509_strict`, as a TLS server.
pub fn verify_strict(
    ca: impl AsRef<[u8]>,
    untrusted: impl AsRef<[u8]>,
    leaf: impl AsRef<[u8]>,
    name: &str,
) -> Testimony {
    let options = ["-x509_strict", "-purpose", "sslserver"];
    verify_with(
        &options,
        ca.as_ref(),
        untrusted.as_ref(),
        leaf.as_ref(),
        name,
    )
}

/// As [`verify`], with further options for `openssl verify`, for instance `["-attime", "1700000000"]`.
pub fn verify_with(
    options: &[&str],
    ca: &[u8],
    untrusted: &[u8],
    leaf: &[u8],
    name: &str,
) -> Testimony {
    let (ca, leaf) = (file(ca)?, file(leaf)?);
    let mut command = openssl("verify");
    command
        .args(options)
        .args(["-no-CApath", "-no-CAstore", "-CAfile"])
        .arg(ca.path());
    command.args(name_check(name));
    let chain = file(untrusted)?;
    // An empty file is an error to openssl, an empty chain is not one to us.
    if !untrusted.is_empty() {
        command.arg("-untrusted").arg(chain.path());
    }
    testimony(command.arg(leaf.path()), b"")
}

fn name_check(name: &str) -> Vec<String> {
    match name.parse::<IpAddr>() {
        _ if name.is_empty() => Vec::new(),
        Ok(_) => vec!["-verify_ip".to_owned(), name.to_owned()],
        Err(_) => vec!["-verify_hostname".to_owned(), name.to_owned()],
    }
}

/// `openssl x509 -text`: a certificate in words.
pub fn certificate_text(path: impl AsRef<Path>) -> Testimony {
    testimony(
        openssl("x509")
            .args(["-noout", "-text", "-in"])
            .arg(path.as_ref()),
        b"",
    )
}

/// `openssl req -text -verify`: a request in words, if its own signature is good.
pub fn request_text(path: impl AsRef<Path>) -> Testimony {
    testimony(
        openssl("req")
            .args(["-noout", "-text", "-verify", "-in"])
            .arg(path.as_ref()),
        b"",
    )
}

/// `openssl crl -text`: a revocation list in words.
pub fn crl_text(path: impl AsRef<Path>) -> Testimony {
    testimony(
        openssl("crl")
            .args(["-noout", "-text", "-in"])
            .arg(path.as_ref()),
        b"",
    )
}

/// `openssl crl -verify`: whether the authority in `ca` signed the revocation list.
pub fn crl_verify(path: impl AsRef<Path>, ca: impl AsRef<Path>) -> Testimony {
    let mut command = openssl("crl");
    command
        .args(["-noout", "-verify", "-in"])
        .arg(path.as_ref())
        .arg("-CAfile")
        .arg(ca.as_ref());
    // It says "verify failure" with status 0 in some releases.
    testimony(&mut command, b"").and_then(|said| {
        if said.contains("verify OK") {
            Ok(said)
        } else {
            Err(format!("crl -verify: {said}"))
        }
    })
}

/// `openssl pkcs12 -info`: what a PKCS#12 file holds, private keys in clear, if passphrase and MAC are good.
pub fn pkcs12_info(path: impl AsRef<Path>, passphrase: &str) -> Testimony {
    let mut command = openssl("pkcs12");
    command
        .args(["-info", "-nodes", "-passin", "stdin", "-in"])
        .arg(path.as_ref());
    testimony(&mut command, passphrase.as_bytes())
}

/// `keytool -list -v`: what a Java key store holds. Fails too where there is no `keytool`.
pub fn keystore_list(path: impl AsRef<Path>, passphrase: &str) -> Testimony {
    let mut command = Command::new("keytool");
    command
        .args(["-list", "-v", "-storepass:env", "STOREPASS", "-keystore"])
        .arg(path.as_ref());
    testimony(command.env("STOREPASS", passphrase).env("LC_ALL", "C"), b"")
}

/// The public key of a certificate in PEM.
pub fn certificate_public_key(path: impl AsRef<Path>) -> Testimony {
    testimony(
        openssl("x509")
            .args(["-noout", "-pubkey", "-in"])
            .arg(path.as_ref()),
        b"",
    )
}

/// The public half of a private key in PEM; the passphrase is empty for a key in clear.
pub fn private_key_public_half(path: impl AsRef<Path>, passphrase: &str) -> Testimony {
    let mut command = openssl("pkey");
    command
        .args(["-pubout", "-passin", "stdin", "-in"])
        .arg(path.as_ref());
    testimony(&mut command, format!("{passphrase}\n").as_bytes())
}

/// Whether the certificate is for the private key (in clear); says the public key.
pub fn key_matches(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Testimony {
    let ours = certificate_public_key(certificate)?;
    let theirs = private_key_public_half(key, "")?;
    if ours == theirs {
        Ok(ours)
    } else {
        Err(format!("certificate:\n{ours}private key:\n{theirs}"))
    }
}

/// A real handshake on the loopback: `openssl s_server` with the chain (leaf first) and the key, `openssl
/// s_client` that trusts only `ca`, asks for `servername` and checks the name (a DNS name or an IP address).
pub fn handshake(
    chain: impl AsRef<Path>,
    key: impl AsRef<Path>,
    ca: impl AsRef<Path>,
    servername: &str,
) -> Testimony {
    let server = Server::start(chain.as_ref(), key.as_ref())?;
    let mut client = openssl("s_client");
    client
        .arg("-connect")
        .arg(&server.address)
        .args(["-verify_return_error", "-brief", "-CAfile"]);
    client
        .arg(ca.as_ref())
        .args(["-no-CApath", "-no-CAstore"])
        .args(name_check(servername));
    // RFC 6066 §3: an address is not sent as a server name.
    match servername.parse::<IpAddr>() {
        Ok(_) => client.arg("-noservername"),
        Err(_) => client.args(["-servername", servername]),
    };
    let (status, stdout, stderr) = finish(&mut client, b"")?;
    let said = format!("{stdout}{stderr}");
    // With -brief the client reports on stderr.
    if status && said.contains("Verification: OK") {
        return Ok(said);
    }
    Err(format!(
        "s_client refused:\n{said}\ns_server said:\n{}",
        server.stop()
    ))
}

/// A running `openssl s_server`, stopped when it is dropped.
struct Server {
    child: Child,
    address: String,
    said: mpsc::Receiver<String>,
    // Read by the server only at its start, but kept as long as it runs.
    _intermediates: NamedTempFile,
}

impl Server {
    fn start(chain: &Path, key: &Path) -> Result<Self, String> {
        let pem =
            std::fs::read_to_string(chain).map_err(|e| format!("{}: {e}", chain.display()))?;
        let above = after_first_certificate(&pem);
        let intermediates = file(above.as_bytes())?;
        let mut command = openssl("s_server");
        command
            .args(["-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(chain)
            .arg("-key")
            .arg(key);
        if above.contains("-----BEGIN CERTIFICATE-----") {
            command.arg("-cert_chain").arg(intermediates.path());
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|e| format!("cannot start openssl s_server: {e}"))?;
        let said = lines_of(&mut child);
        let mut server = Self {
            child,
            address: String::new(),
            said,
            _intermediates: intermediates,
        };
        server.address = server.wait_until_it_listens()?;
        Ok(server)
    }

    /// With port 0 the system chooses; the server says `ACCEPT 127.0.0.1:PORT`.
    fn wait_until_it_listens(&self) -> Result<String, String> {
        let deadline = Instant::now() + TIME_LIMIT;
        let mut all = String::new();
        while let Ok(line) = self
            .said
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                return Ok(address.trim().to_owned());
            }
            all.push_str(&line);
            all.push('\n');
        }
        Err(format!("openssl s_server does not listen:\n{all}"))
    }

    fn stop(mut self) -> String {
        self.end();
        self.said.iter().collect::<Vec<_>>().join("\n")
    }

    fn end(&mut self) {
        // Both fail only if it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Both streams of a child, line by line as they come.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child
            .stdout
            .take()
            .map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child
            .stderr
            .take()
            .map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    for stream in streams.into_iter().flatten() {
        let send = send.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receive
}

fn after_first_certificate(pem: &str) -> &str {
    const END: &str = "-----END CERTIFICATE-----";
    pem.split_once(END)
        .map(|(_, rest)| rest)
        .unwrap_or_default()
}

fn openssl(what: &str) -> Command {
    let mut command = Command::new("openssl");
    command.arg(what).env("LC_ALL", "C");
    command
}

fn file(content: &[u8]) -> Result<NamedTempFile, String> {
    let write = || {
        let mut file = NamedTempFile::new()?;
        file.write_all(content)?;
        Ok(file)
    };
    write().map_err(|e: std::io::Error| format!("cannot write a temporary file: {e}"))
}

fn testimony(command: &mut Command, stdin: &[u8]) -> Testimony {
    let (good, stdout, stderr) = finish(command, stdin)?;
    // Some commands report on stderr ("verify OK"), so a good testimony has both.
    if good {
        Ok(format!("{stdout}{stderr}"))
    } else {
        Err(format!("{command:?}:\n{stdout}{stderr}"))
    }
}

/// Runs a program to its end, within the time limit.
fn finish(command: &mut Command, stdin: &[u8]) -> Result<(bool, String, String), String> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|e| format!("cannot start {command:?}: {e}"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // It may end without reading; its status says why.
        drop(pipe.write_all(stdin));
    }
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let deadline = Instant::now() + TIME_LIMIT;
    let status = loop {
        match child
            .try_wait()
            .map_err(|e| format!("cannot wait for {command:?}: {e}"))?
        {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    if status.is_none() {
        drop(child.kill());
        drop(child.wait());
    }
    let (stdout, stderr) = (
        stdout.join().unwrap_or_default(),
        stderr.join().unwrap_or_default(),
    );
    match status {
        Some(status) => Ok((status.success(), stdout, stderr)),
        None => Err(format!(
            "{command:?} took longer than {TIME_LIMIT:?}:\n{stdout}{stderr}"
        )),
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What came until an error is still worth showing.
            drop(stream.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests;
