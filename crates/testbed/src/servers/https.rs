// SPDX-License-Identifier: Apache-2.0
//! The little of HTTPS that the servers of a test need: a certificate, and one request at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::X509;

use crate::must;

/// A certificate of its own authority for `localhost` and 127.0.0.1, made by the `openssl` command.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// In PEM; it is the authority too.
    pub pem: Vec<u8>,
    /// Its key, PKCS#8 in PEM.
    pub key: Vec<u8>,
}

impl Certificate {
    /// Makes one in a directory, as `https.pem` and `https.key`.
    #[track_caller]
    pub fn make(directory: &Path) -> Self {
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args([
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=testbed https",
                "-addext",
            ])
            .arg("subjectAltName=DNS:localhost,IP:127.0.0.1")
            .args(["-keyout", "https.key", "-out", "https.pem"])
            .current_dir(directory)
            .output();
        let output = must(output, "cannot start openssl");
        assert!(
            output.status.success(),
            "openssl: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let read = |name: &str| must(std::fs::read(directory.join(name)), "cannot read");
        Self {
            pem: read("https.pem"),
            key: read("https.key"),
        }
    }

    #[track_caller]
    pub(super) fn acceptor(&self) -> SslContext {
        let built = || {
            let mut builder = SslContext::builder(SslMethod::tls_server())?;
            let certificate = X509::from_pem(&self.pem)?;
            let key = PKey::private_key_from_pem(&self.key)?;
            builder.set_certificate(&certificate)?;
            builder.set_private_key(&key)?;
            Ok::<_, openssl::error::ErrorStack>(builder.build())
        };
        must(built(), "cannot use the certificate")
    }
}

/// Status, headers (names in lower case) and body of an answer.
pub type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// Asks a server of this machine, whose certificate nobody checks: it is the test's own.
#[track_caller]
pub fn get(port: u16, path: &str) -> Answer {
    must(exchange(port, "GET", path, &[], b""), "cannot ask")
}

/// As [`get`], with a body.
#[track_caller]
pub fn post(port: u16, path: &str, body: &[u8]) -> Answer {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    must(exchange(port, "POST", path, &headers, body), "cannot ask")
}

/// One request on a connection of its own.
pub(super) fn exchange(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<Answer> {
    talk(connect(port)?, method, path, headers, body)
}

/// The same without TLS.
pub(super) fn exchange_in_clear(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    talk(stream, method, path, headers, body)
}

fn talk(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name == "host") {
        head.push_str("Host: localhost\r\n");
    }
    if !headers.iter().any(|(name, _)| name == "user-agent") {
        head.push_str("User-Agent: testbed\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    // In one piece: two would wait for each other on the loopback.
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut reader = BufReader::new(stream);
    let (first, headers) = read_head(&mut reader)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let answered = match (method, header(&headers, "transfer-encoding")) {
        ("HEAD", _) => Vec::new(),
        (_, Some("chunked")) => chunks(&mut reader)?,
        _ => read_body(&mut reader, &headers)?,
    };
    Ok((status.unwrap_or(0), headers, answered))
}

fn connect(port: u16) -> std::io::Result<SslStream<TcpStream>> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut ssl = Ssl::new(&context.build())?;
    ssl.set_hostname("localhost")?;
    ssl.connect(stream).map_err(std::io::Error::other)
}

/// The server's side of a connection.
pub(super) fn accept(
    context: &SslContext,
    stream: TcpStream,
) -> std::io::Result<SslStream<TcpStream>> {
    Ssl::new(context)?
        .accept(stream)
        .map_err(std::io::Error::other)
}

/// The first line and the headers.
pub(super) fn read_head(
    reader: &mut impl BufRead,
) -> std::io::Result<(String, Vec<(String, String)>)> {
    let first = line(reader)?;
    let mut headers = Vec::new();
    loop {
        let text = line(reader)?;
        match text.split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => return Ok((first, headers)),
        }
    }
}

/// As long as Content-Length says; a request or an answer without one has no body here.
pub(super) fn read_body(
    reader: &mut impl Read,
    headers: &[(String, String)],
) -> std::io::Result<Vec<u8>> {
    let size = header(headers, "content-length").and_then(|value| value.parse().ok());
    let mut body = vec![0; size.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(body)
}

pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known == name)?;
    Some(&found.1)
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(reader)?, 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        line(reader)?;
        if size == 0 {
            return Ok(body);
        }
        body.append(&mut chunk);
    }
}

fn line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    if reader.read_line(&mut text)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(text.trim_end().to_owned())
}
