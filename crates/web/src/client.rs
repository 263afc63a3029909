// SPDX-License-Identifier: Apache-2.0
//! Sending.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::blocking::{Client as Engine, Response as Answer};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::body::{self, Refused};
use crate::error::shown;
use crate::{Error, Request, Resolver, Response, Result, Settings, Trust};

/// How long an address is used again without being looked up.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(60);
/// Longer limits are cut to this: an instant that the clock cannot show would be a panic, here and in the engine.
const LONGEST_LIMIT: Duration = Duration::from_secs(86_400);

/// Sends requests over connections that it keeps. Threads may share it.
pub struct Client {
    engine: Engine,
    addresses: Arc<Addresses>,
    proxy: Option<Url>,
    resolver: Arc<dyn Resolver>,
    connect_timeout: Duration,
    timeout: Duration,
    body_limit: usize,
    allow_http: bool,
}

impl Client {
    /// Makes one.
    ///
    /// # Errors
    /// [`Error::Setting`] for authorities, a client certificate or a proxy that cannot be read.
    pub fn new(settings: &Settings) -> Result<Self> {
        let addresses = Arc::new(Addresses::default());
        let timeout = settings.timeout.min(LONGEST_LIMIT);
        let connect_timeout = settings.connect_timeout.min(LONGEST_LIMIT);
        let proxy = settings.proxy.as_deref().map(proxy_url).transpose()?;
        let mut builder = Engine::builder()
            .user_agent(&settings.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(connect_timeout)
            .timeout(timeout)
            .dns_resolver(Arc::clone(&addresses));
        if let Some(proxy) = &proxy {
            let proxy = reqwest::Proxy::all(proxy.clone());
            builder = builder.proxy(proxy.map_err(|_| setting("proxy", "it is not a URL"))?);
        }
        builder = match &settings.trust {
            Trust::System => builder,
            Trust::Also(pem) => builder.tls_certs_merge(authorities(pem)?),
            Trust::Only(pem) => builder.tls_certs_only(authorities(pem)?),
            Trust::Anybody => builder.tls_danger_accept_invalid_certs(true),
        };
        if let Some(identity) = &settings.identity {
            let read = reqwest::Identity::from_pkcs8_pem(&identity.chain, &identity.private_key);
            let why = "it needs a certificate and its unencrypted PKCS#8 key, both in PEM";
            builder = builder.identity(read.map_err(|_| setting("client certificate", why))?);
        }
        let why = "OpenSSL does not take it; do certificate and key belong together?";
        Ok(Self {
            engine: builder
                .build()
                .map_err(|_| setting("client certificate", why))?,
            addresses,
            proxy,
            resolver: Arc::clone(&settings.resolver),
            connect_timeout,
            timeout,
            body_limit: settings.body_limit,
            allow_http: settings.allow_http,
        })
    }

    /// Sends a request and takes the whole answer, whatever its status.
    ///
    /// # Errors
    /// All but [`Error::Content`] and [`Error::Setting`].
    pub fn send(&self, request: &Request) -> Result<Response> {
        let url = self.url(&request.url)?;
        self.look_up(self.proxy.as_ref().unwrap_or(&url))?;
        let deadline = Instant::now() + self.timeout;
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|_| refused(&url, "its method is not one of HTTP"))?;
        let mut sent = self
            .engine
            .request(method, url.clone())
            .headers(headers(request, &url)?);
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let answer = sent
            .send()
            .map_err(|error| Error::of(&error, &url, self.timeout))?;
        self.take(answer, &url, deadline)
    }

    fn url(&self, text: &str) -> Result<Url> {
        let url = Url::parse(text).map_err(|error| Error::Url {
            url: crate::shown(text),
            reason: error.to_string(),
        })?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_http => Ok(url),
            "http" => Err(refused(&url, "it is not https")),
            _ => Err(refused(&url, "it is neither https nor http")),
        }
    }

    /// So that the engine finds the host's addresses, which it does not look up itself: a failed lookup is told from a
    /// failed connection, and no lookup holds up what the engine does for other threads.
    fn look_up(&self, url: &Url) -> Result<()> {
        let Some(host) = url.host_str() else {
            return Err(refused(url, "it has no host"));
        };
        // IPv6 has brackets here; the engine takes literals without asking.
        if self.addresses.are_fresh(host) || is_literal(host) {
            return Ok(());
        }
        let found = self
            .resolver
            .addresses(host, Instant::now() + self.connect_timeout)
            .map_err(|reason| Error::Resolve {
                host: host.to_owned(),
                reason,
            })?;
        self.addresses.keep(host, found);
        Ok(())
    }

    fn take(&self, answer: Answer, url: &Url, deadline: Instant) -> Result<Response> {
        let (status, headers) = (answer.status().as_u16(), listed(answer.headers()));
        let (url, limit) = (shown(url), self.body_limit);
        match body::take(answer, limit, deadline) {
            Ok(body) => Ok(Response {
                url,
                status,
                headers,
                body,
            }),
            Err(Refused::Broken(reason)) => Err(Error::Broken { url, reason }),
            Err(Refused::Late) => Err(Error::TimedOut {
                url,
                limit: self.timeout,
            }),
            Err(Refused::TooLarge) => Err(Error::TooLarge { url, limit }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn is_literal(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

fn refused(url: &Url, reason: &str) -> Error {
    Error::Url {
        url: shown(url),
        reason: reason.to_owned(),
    }
}

fn setting(what: &'static str, reason: &str) -> Error {
    Error::Setting {
        what,
        reason: reason.to_owned(),
    }
}

fn proxy_url(text: &str) -> Result<Url> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(url),
        _ => Err(setting("proxy", "it is not http://HOST:PORT")),
    }
}

fn authorities(pem: &[u8]) -> Result<Vec<reqwest::Certificate>> {
    match reqwest::Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(setting("CA file", "it holds no certificate in PEM")),
        Err(_) => Err(setting("CA file", "a certificate in it cannot be read")),
    }
}

/// Values are marked as secret, so that no log of the layers below shows them.
fn headers(request: &Request, url: &Url) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name);
        let value = HeaderValue::try_from(value);
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(refused(
                url,
                "a header for it has characters that HTTP forbids",
            ));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The addresses that the engine may use, by host.
#[derive(Default)]
struct Addresses(Mutex<HashMap<String, (Instant, Vec<IpAddr>)>>);

impl Addresses {
    fn are_fresh(&self, host: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(host)
            .is_some_and(|(since, _)| since.elapsed() < ADDRESS_LIFETIME)
    }

    fn keep(&self, host: &str, addresses: Vec<IpAddr>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(host.to_owned(), (Instant::now(), addresses));
    }
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match known.get(name.as_str()) {
            // The engine puts its own port in the place of 0.
            Some((_, found)) => Ok(found.iter().map(|ip| SocketAddr::new(*ip, 0)).collect()),
            None => Err(format!("'{}' was not looked up", name.as_str())),
        };
        let answer = found
            .map(|found: Vec<SocketAddr>| Box::new(found.into_iter()) as Addrs)
            .map_err(Into::into);
        Box::pin(std::future::ready(answer))
    }
}
