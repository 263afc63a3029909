// SPDX-License-Identifier: Apache-2.0
//! One ACME server: its directory, its nonces, and asking it until it answers or has failed for good.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pki::Timestamp;
use serde_json::Value;
use web::{Client, Method, Request, Response};

use crate::jws::Signer;
use crate::nonces::{self, Nonces};
use crate::tries::Tries;
use crate::{Clock, Directory, Error, Patience, Problem, ProblemKind, Result};

/// A server that has shown its directory. Threads may share it.
pub struct Server {
    web: Client,
    clock: Arc<dyn Clock>,
    patience: Patience,
    opened: Timestamp,
    url: String,
    directory: Directory,
    /// Scheme, host and port of all URLs that the directory names.
    origins: Vec<String>,
    nonces: Nonces,
    requests: AtomicUsize,
}

impl Server {
    /// Reads the directory of a server.
    ///
    /// # Errors
    /// [`Error::Web`], [`Error::Redirected`], [`Error::ServerFailed`], [`Error::RateLimited`], [`Error::BadAnswer`].
    pub fn open(web: Client, url: &str, clock: Arc<dyn Clock>, patience: Patience) -> Result<Self> {
        let mut server = Self {
            opened: clock.now(),
            web,
            clock,
            patience,
            url: url.to_owned(),
            directory: Directory {
                new_nonce: String::new(),
                new_account: String::new(),
                new_order: String::new(),
                new_authz: None,
                revoke_cert: None,
                key_change: None,
                renewal_info: None,
                meta: Default::default(),
            },
            origins: Vec::new(),
            nonces: Nonces::default(),
            requests: AtomicUsize::new(0),
        };
        server.directory = server.get(url)?.json()?;
        let named = server.directory.urls().chain([url]);
        let origins: Option<Vec<_>> = named.map(web::origin).collect();
        server.origins =
            origins.ok_or_else(|| Error::bad_answer(url, "its directory names what is no URL"))?;
        Ok(server)
    }

    /// The URL of its directory.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it offers.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// How many requests it got from us.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// How much it is forgiven.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The caller's clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Takes a URL that the server named, if it is one of its own: what is signed goes nowhere else.
    pub(crate) fn own(&self, asked: &str, url: &str) -> Result<String> {
        match web::origin(url) {
            Some(origin) if self.origins.contains(&origin) => Ok(url.to_owned()),
            _ => {
                let shown = web::shown(url);
                let why = format!("it names {shown}, which is none of the directory's servers");
                Err(Error::bad_answer(asked, why))
            }
        }
    }

    /// An error that names what the server lacks.
    pub(crate) fn lacks(&self, what: &'static str) -> Error {
        Error::Unsupported {
            server: web::shown(&self.url),
            what,
        }
    }

    /// Asks without a signature.
    pub(crate) fn get(&self, url: &str) -> Result<Response> {
        self.persist(url, true, |_| {
            Ok(Request::new(Method::Get, url).header("Accept", "application/json"))
        })
    }

    /// Sends a signed request. Only one without a payload is repeated if its answer was lost.
    pub(crate) fn post(
        &self,
        signer: Signer<'_>,
        url: &str,
        payload: Option<&Value>,
        accept: &str,
    ) -> Result<Response> {
        self.persist(url, payload.is_none(), |fresh| {
            let nonce = match fresh.or_else(|| self.nonces.take()) {
                Some(nonce) => nonce,
                None => self.new_nonce()?,
            };
            let body = signer.request(url, &nonce, payload)?;
            Ok(Request::new(Method::Post, url)
                .header("Accept", accept)
                .body("application/jose+json", body))
        })
    }

    fn new_nonce(&self) -> Result<String> {
        let url = &self.directory.new_nonce;
        let answer = self.persist(url, true, |_| Ok(Request::new(Method::Head, url.as_str())))?;
        match answer.header("replay-nonce") {
            Some(nonce) if nonces::is_nonce(nonce) => {
                // It was kept like that of any answer; nobody else may use it too.
                Ok(self.nonces.take().unwrap_or_else(|| nonce.to_owned()))
            }
            _ => Err(Error::bad_answer(url, "it gives no nonce")),
        }
    }

    /// Asks until there is a good answer, a refusal, or patience ends.
    fn persist(
        &self,
        url: &str,
        repeatable: bool,
        request: impl Fn(Option<String>) -> Result<Request>,
    ) -> Result<Response> {
        let mut tries = Tries::new(self.patience);
        loop {
            self.check_time(url)?;
            let request = request(tries.nonce.take())?;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let pause = match self.web.send(&request) {
                Ok(answer) => {
                    let verdict = judge(&answer, self.clock.now());
                    let nonce = answer.header("replay-nonce");
                    match (&verdict, nonce) {
                        // Those of the pool may all be as old as the refused one.
                        (Verdict::Nonce, Some(nonce)) if nonces::is_nonce(nonce) => {
                            tries.nonce = Some(nonce.to_owned());
                        }
                        (_, nonce) => nonce.into_iter().for_each(|nonce| self.nonces.keep(nonce)),
                    }
                    match tries.next(url, verdict, self.clock.now())? {
                        Some(pause) => pause,
                        None => return Ok(answer),
                    }
                }
                Err(error) if repeatable || error.is_before_sending() => tries.unreached(error)?,
                Err(error) => return Err(error.into()),
            };
            self.clock.wait(pause.min(self.left()));
        }
    }

    /// How much is left of the time for everything ([`Patience::whole`]).
    pub fn left(&self) -> Duration {
        let Some(whole) = self.patience.whole else {
            return Duration::MAX;
        };
        let passed = self.clock.now().0.saturating_sub(self.opened.0);
        // A clock that was set back is no reason to go on for ever.
        whole.saturating_sub(Duration::from_secs(passed.unsigned_abs()))
    }

    fn check_time(&self, url: &str) -> Result<()> {
        match self.patience.whole {
            Some(limit) if self.left().is_zero() => Err(Error::OutOfTime {
                url: web::shown(url),
                limit,
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("url", &web::shown(&self.url))
            .finish_non_exhaustive()
    }
}

/// What an answer means for asking again.
pub(crate) enum Verdict {
    Good,
    Nonce,
    Limited {
        reason: String,
        wait: Option<Duration>,
    },
    Failed {
        status: u16,
        reason: String,
        wait: Option<Duration>,
    },
    Refused(Error),
}

fn judge(answer: &Response, now: Timestamp) -> Verdict {
    let (status, wait) = (answer.status, answer.retry_after(now.0));
    let problem = problem_of(answer);
    let is = |kind: ProblemKind| problem.as_ref().is_some_and(|problem| problem.kind == kind);
    let reason = match &problem {
        Some(problem) => problem.to_string(),
        None => format!("{} bytes {}", answer.body.len(), answer.media_type()),
    };
    if answer.is_success() {
        return Verdict::Good;
    }
    if is(ProblemKind::BadNonce) {
        return Verdict::Nonce;
    }
    if status == 429 || is(ProblemKind::RateLimited) {
        return Verdict::Limited { reason, wait };
    }
    match (status, problem) {
        (300..=399, _) => Verdict::Refused(Error::Redirected {
            to: answer
                .header("location")
                .map_or_else(String::new, web::shown),
            url: answer.url.clone(),
        }),
        (500..=599, _) => Verdict::Failed {
            status,
            reason,
            wait,
        },
        (_, Some(problem)) => Verdict::Refused(Error::Problem {
            url: answer.url.clone(),
            problem: Box::new(problem),
        }),
        (status, None) => Verdict::Refused(Error::BadAnswer {
            reason: format!("status {status} without a problem document ({reason})"),
            status: Some(status),
            url: answer.url.clone(),
        }),
    }
}

/// The problem document of an answer that has one.
fn problem_of(answer: &Response) -> Option<Problem> {
    match answer.media_type().as_str() {
        "application/problem+json" => answer.json().ok(),
        _ => None,
    }
}
