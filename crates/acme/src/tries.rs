// SPDX-License-Identifier: Apache-2.0
//! Counting how often a server was asked in vain, for one request.

use std::time::Duration;

use pki::Timestamp;

use crate::clock::after;
use crate::server::Verdict;
use crate::{Error, Patience, Result};

/// What is left when a server limits the rate without saying for how long.
const UNNAMED_WAIT: Duration = Duration::from_secs(5);

/// What was tried for one request.
pub(crate) struct Tries {
    patience: Patience,
    /// The nonce of the answer that refused the last one.
    pub(crate) nonce: Option<String>,
    nonces: u32,
    failures: u32,
    waited: Duration,
}

impl Tries {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            patience,
            nonce: None,
            nonces: 0,
            failures: 0,
            waited: Duration::ZERO,
        }
    }

    /// How long to wait before the request is sent again; `None` if its answer is good.
    pub(crate) fn next(
        &mut self,
        url: &str,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Option<Duration>> {
        let url = web::shown(url);
        match verdict {
            Verdict::Good => Ok(None),
            Verdict::Refused(error) => Err(error),
            Verdict::Nonce => {
                self.nonces += 1;
                match self.nonces > self.patience.nonces {
                    true => Err(Error::NoncesRefused {
                        url,
                        times: self.nonces,
                    }),
                    false => Ok(Some(Duration::ZERO)),
                }
            }
            Verdict::Limited { reason, wait } => {
                let span = wait.unwrap_or(UNNAMED_WAIT);
                self.wait(span).map(Some).ok_or_else(|| Error::RateLimited {
                    url,
                    reason,
                    retry_at: wait.map(|span| after(now, span)),
                })
            }
            Verdict::Failed {
                status,
                reason,
                wait,
            } => {
                let pause = self.failure();
                match (pause, wait) {
                    (None, _) => Err(Error::ServerFailed {
                        url,
                        status,
                        times: self.failures,
                        reason,
                    }),
                    (Some(_), Some(span)) => {
                        self.wait(span).map(Some).ok_or_else(|| Error::NotYet {
                            url,
                            retry_at: after(now, span),
                        })
                    }
                    (pause, None) => Ok(pause),
                }
            }
        }
    }

    /// How long to wait after a request that may be sent again did not come through.
    pub(crate) fn unreached(&mut self, error: web::Error) -> Result<Duration> {
        use web::Error::{Broken, Connect, TimedOut};
        // Trust does not come with time, and what is too large stays so. Who is silent for the whole limit is not
        // asked four times: that would be four limits.
        match error {
            Broken { .. } | Connect { .. } => self.failure().ok_or_else(|| error.into()),
            TimedOut { .. } if self.failures == 0 => self.failure().ok_or_else(|| error.into()),
            _ => Err(error.into()),
        }
    }

    /// `None` if that would be longer than patience allows, all waits of this request together.
    fn wait(&mut self, span: Duration) -> Option<Duration> {
        // A server that names no time at all is not asked without end.
        let span = span.max(self.patience.pause);
        self.waited = self.waited.saturating_add(span);
        (self.waited <= self.patience.max_wait).then_some(span)
    }

    fn failure(&mut self) -> Option<Duration> {
        self.failures += 1;
        let doubled = 1 << self.failures.saturating_sub(1).min(5);
        (self.failures <= self.patience.failures)
            .then(|| self.patience.pause.saturating_mul(doubled))
    }
}
