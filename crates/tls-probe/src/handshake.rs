// SPDX-License-Identifier: Apache-2.0
//! A handshake that is after one thing: the certificates that the server sends.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{
    HandshakeError, MidHandshakeSslStream, Ssl, SslContext, SslMethod, SslMode, SslRef,
    SslVerifyMode, StatusType,
};

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Error, Link, Place, Presented, Result, ServerName, Stage, StartTls};

/// TLS record types (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// In TLS 1.3 only the signatures that a client takes tell the server which kind of certificate to send.
const ECDSA_SIGNATURES: &str = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224:ECDSA+SHA1";
const RSA_SIGNATURES: &str = concat!(
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:",
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:",
    "RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA224:RSA+SHA1"
);

/// What to ask a server for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The kind of key, where a server has certificates of several kinds. `None` leaves the choice to it.
    pub key: Option<KeyKind>,
    /// The name in SNI. `None` sends none, as for an address.
    pub server_name: Option<ServerName>,
    /// What comes before TLS. `None` begins at once.
    pub starttls: Option<StartTls>,
    /// Ask for the OCSP answer that a server may hand out with its certificate (RFC 6066 §8).
    pub stapled: bool,
}

/// The key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on any curve.
    Ecdsa,
    /// RSA.
    Rsa,
}

/// How a handshake ended after the certificates were known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It broke off before the server had proven that it has the key.
    Broken {
        /// OpenSSL's words, or the server's alert.
        why: String,
    },
    /// It came to its end: the server has the key that belongs to the certificate.
    Finished,
    /// The server proved that it has the key and then refused us. Most often it demands a certificate of us.
    Refused {
        /// The server's alert.
        why: String,
    },
}

impl Ending {
    /// Whether the server has shown that it has the key, not only the certificate.
    pub fn proves_key(&self) -> bool {
        !matches!(self, Self::Broken { .. })
    }
}

/// What a handshake has brought, beside the certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// How it ended.
    pub ending: Ending,
    /// The OCSP answer of the server, DER, if it was asked for one and has one. Not verified.
    pub stapled: Option<Vec<u8>>,
}

/// Makes handshakes; one serves any number of threads.
#[derive(Debug)]
pub struct Prober {
    context: SslContext,
}

impl Prober {
    /// Prepares OpenSSL: TLS 1.2 and 1.3, and every key and signature that it knows, weak ones too. What is served
    /// shall be seen, not judged.
    ///
    /// # Errors
    /// [`Error::Crypto`], if OpenSSL has no memory.
    pub fn new() -> Result<Self> {
        let context = context(None).map_err(crypto("prepare TLS"))?;
        Ok(Self { context })
    }

    /// Connects, and shakes hands until the server has sent its certificates. `patience` is the time for all of it.
    ///
    /// # Errors
    /// Every variant of [`Error`] that has an address.
    pub fn probe(&self, place: &Place<'_>, ask: &Ask, patience: Duration) -> Result<Held> {
        let deadline = Deadline::after(patience);
        let tcp = place.connect(&deadline)?;
        let link = Link::of(&tcp, place.address())?;
        let mut wire = Wire::new(tcp, place.address(), deadline);
        if let Some(protocol) = ask.starttls {
            protocol.negotiate(&mut wire, ask.server_name.as_ref())?;
        }
        wire.begin_tls();
        // Not before: of many servers that hang, most hang earlier, and a handshake has memory of its own.
        let ssl = self.client(ask).map_err(crypto("prepare a handshake"))?;
        let state = shake(ssl, wire)?;
        Ok(Held { link, state })
    }

    fn client(&self, ask: &Ask) -> Result<Ssl, ErrorStack> {
        // Few ask for a kind of key; theirs is made when it is asked for.
        let mut ssl = match ask.key {
            None => Ssl::new(&self.context)?,
            kind => {
                let context = context(kind)?;
                Ssl::new(&context)?
            }
        };
        if let Some(name) = &ask.server_name {
            ssl.set_hostname(name.as_str())?;
        }
        if ask.stapled {
            ssl.set_status_type(StatusType::OCSP)?;
        }
        Ok(ssl)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that speaks TLS without verifying: it only reads what is shown"
)]
fn context(key: Option<KeyKind>) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_security_level(0);
    // A handshake that waits keeps no buffers: hundreds may wait at once.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    match key {
        None => builder.set_cipher_list("ALL:!aNULL")?,
        Some(KeyKind::Ecdsa) => {
            builder.set_cipher_list("aECDSA")?;
            builder.set_sigalgs_list(ECDSA_SIGNATURES)?;
        }
        Some(KeyKind::Rsa) => {
            builder.set_cipher_list("aRSA")?;
            builder.set_sigalgs_list(RSA_SIGNATURES)?;
        }
    }
    Ok(builder.build())
}

/// A server that has sent its certificates and waits for us. The connection is open until this is dropped, so that
/// [`accepted_by`](crate::accepted_by) can find who holds its other end.
#[derive(Debug)]
pub struct Held {
    link: Link,
    state: Standing,
}

impl Held {
    /// The certificates.
    pub fn presented(&self) -> &Presented {
        &self.state.presented
    }

    /// The two ends of the connection.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The protocol that was agreed on: `TLSv1.2`, `TLSv1.3`.
    pub fn protocol(&self) -> &'static str {
        self.state.protocol
    }

    /// Takes the handshake to its end and says goodbye. Worth its round trip: it tells whether the server has the key
    /// of what it shows, and a handshake that ends in the middle is an error in the server's log.
    pub fn finish(self, patience: Duration) -> Ending {
        self.conclude(patience).ending
    }

    /// As [`Held::finish`], and gives the OCSP answer, which TLS 1.2 sends after the certificates.
    pub fn conclude(self, patience: Duration) -> Conclusion {
        self.state.conclude(Deadline::after(patience))
    }
}

impl Held {
    /// Takes the handshake to its end, says a line, and gives back the first line of the answer. For programs that take
    /// commands over TLS, such as memcached's `refresh_certs`.
    ///
    /// # Errors
    /// [`Error::Tls`], if the server refuses us; [`Error::Io`] and [`Error::Closed`], if it goes away before it answers.
    pub fn say(self, line: &[u8], patience: Duration) -> Result<Vec<u8>> {
        let address = self.link.theirs();
        self.state.say(address, line, Deadline::after(patience))
    }
}

/// A handshake that stands still, or one that failed when the certificates were already known.
#[derive(Debug)]
struct Standing {
    middle: MidHandshakeSslStream<Wire>,
    presented: Presented,
    protocol: &'static str,
    failed: Option<String>,
}

impl Standing {
    fn conclude(mut self, deadline: Deadline) -> Conclusion {
        if let Some(why) = self.failed {
            let ending = Ending::Broken { why };
            return Conclusion {
                ending,
                stapled: None,
            };
        }
        self.middle.get_mut().go_on(deadline);
        match self.middle.handshake() {
            Ok(mut stream) => {
                // A goodbye that cannot be sent changes nothing of what was proven.
                let _ = stream.shutdown();
                Conclusion {
                    ending: Ending::Finished,
                    stapled: stapled(stream.ssl()),
                }
            }
            Err(HandshakeError::SetupFailure(stack)) => Conclusion {
                ending: Ending::Broken {
                    why: stack.to_string(),
                },
                stapled: None,
            },
            Err(HandshakeError::Failure(mut middle) | HandshakeError::WouldBlock(mut middle)) => {
                let why = words(&mut middle);
                let ending = match has_proven_key(&middle) {
                    true => Ending::Refused { why },
                    false => Ending::Broken { why },
                };
                let stapled = stapled(middle.ssl());
                Conclusion { ending, stapled }
            }
        }
    }
}

fn stapled(ssl: &SslRef) -> Option<Vec<u8>> {
    ssl.ocsp_status()
        .filter(|answer| !answer.is_empty())
        .map(<[u8]>::to_vec)
}

/// A line of an answer is short.
const LINE_LIMIT: usize = 512;

impl Standing {
    fn say(mut self, address: SocketAddr, line: &[u8], deadline: Deadline) -> Result<Vec<u8>> {
        if let Some(why) = self.failed {
            return Err(Error::Tls { address, why });
        }
        self.middle.get_mut().go_on(deadline);
        let mut stream = match self.middle.handshake() {
            Ok(stream) => stream,
            Err(HandshakeError::SetupFailure(source)) => {
                return Err(crypto("end a handshake")(source));
            }
            Err(HandshakeError::Failure(mut middle) | HandshakeError::WouldBlock(mut middle)) => {
                let why = words(&mut middle);
                return Err(Error::Tls { address, why });
            }
        };
        let broke = |source| Error::Io {
            address,
            stage: Stage::Answer,
            source,
        };
        stream.write_all(line).map_err(broke)?;
        let mut answer = Vec::new();
        let mut byte = [0];
        while answer.len() < LINE_LIMIT && !answer.ends_with(b"\n") {
            match stream.read(&mut byte).map_err(broke)? {
                0 if answer.is_empty() => {
                    return Err(Error::Closed {
                        address,
                        stage: Stage::Answer,
                    });
                }
                0 => break,
                _ => answer.extend(byte),
            }
        }
        // A goodbye that cannot be sent changes nothing of what was said.
        let _ = stream.shutdown();
        Ok(answer)
    }
}

/// In TLS 1.2 the server signs its key exchange before our answer: an answer of ours that is no alert says that the
/// signature was good. Without an ephemeral key there is no such signature. In TLS 1.3 a handshake that does not
/// finish on our side proves nothing.
fn has_proven_key(middle: &MidHandshakeSslStream<Wire>) -> bool {
    middle.ssl().version_str() != "TLSv1.3"
        && middle.ssl().peer_tmp_key().is_ok()
        && middle.get_ref().wrote() == Some(HANDSHAKE_RECORD)
}

/// Runs the handshake until the certificates are there. OpenSSL asks our callback about them as soon as it has read
/// them; the callback pauses the wire, so the next read or write makes it stand still.
fn shake(mut ssl: Ssl, wire: Wire) -> Result<Standing> {
    let pause = wire.pause().clone();
    ssl.set_verify_callback(SslVerifyMode::PEER, move |_, _| {
        pause.set();
        true
    });
    let address = wire.address();
    let mut shaken = ssl.connect(wire);
    if let Err(HandshakeError::WouldBlock(mut middle)) = shaken {
        shaken = match middle.get_mut().wait_for_first() {
            true => middle.handshake(),
            false => Err(HandshakeError::WouldBlock(middle)),
        };
    }
    match shaken {
        // It cannot end without a certificate while we offer no way to do so; OpenSSL would have called us.
        Ok(_) => Err(Error::NoCertificate { address }),
        Err(HandshakeError::SetupFailure(source)) => Err(crypto("prepare a handshake")(source)),
        Err(HandshakeError::WouldBlock(middle)) => match certificates(middle.ssl())? {
            Some(presented) => Ok(standing(middle, presented, None)),
            None => Err(Error::NoCertificate { address }),
        },
        Err(HandshakeError::Failure(middle)) => broken(middle),
    }
}

/// A handshake that failed may still have brought certificates: then they are what was asked for.
fn broken(mut middle: MidHandshakeSslStream<Wire>) -> Result<Standing> {
    if let Some(presented) = certificates(middle.ssl())? {
        let why = words(&mut middle);
        return Ok(standing(middle, presented, Some(why)));
    }
    if let Some(error) = middle.get_mut().foreign() {
        return Err(error);
    }
    if let Some(error) = middle.get_mut().take_fault() {
        return Err(error);
    }
    let address = middle.get_ref().address();
    match words(&mut middle) {
        why if why.is_empty() => Err(middle
            .get_mut()
            .explain(std::io::ErrorKind::UnexpectedEof.into())),
        why => Err(Error::Tls { address, why }),
    }
}

fn standing(
    middle: MidHandshakeSslStream<Wire>,
    presented: Presented,
    failed: Option<String>,
) -> Standing {
    let protocol = middle.ssl().version_str();
    Standing {
        middle,
        presented,
        protocol,
        failed,
    }
}

fn certificates(ssl: &SslRef) -> Result<Option<Presented>> {
    let Some(chain) = ssl.peer_cert_chain() else {
        return Ok(None);
    };
    let ders: Result<Vec<_>, _> = chain
        .iter()
        .map(|certificate| certificate.to_der())
        .collect();
    ders.map(Presented::new)
        .map_err(crypto("copy a certificate"))
}

/// Why a handshake failed: our own fault of the wire, else the server's alert, else OpenSSL's complaint. Empty if the
/// connection just ended.
fn words(middle: &mut MidHandshakeSslStream<Wire>) -> String {
    if let Some(fault) = middle.get_mut().take_fault() {
        return fault.to_string();
    }
    let reasons = middle.error().ssl_error().map(|stack| {
        let reasons = stack.errors().iter().filter_map(|error| error.reason());
        reasons.collect::<Vec<_>>().join(", ")
    });
    reasons.unwrap_or_default()
}

fn crypto(operation: &'static str) -> impl Fn(ErrorStack) -> Error {
    move |source| Error::Crypto { operation, source }
}
