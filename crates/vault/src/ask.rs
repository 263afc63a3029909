// SPDX-License-Identifier: Apache-2.0
//! Asking: which node, which token, and what an answer leads to.

use crate::call::{Call, Leave, Repeat};
use crate::tries::{Tries, Trouble};
use crate::verdict::{Passing, Verdict, shape, verdict};
use crate::{Answer, Error, Result, Vault};

impl Vault {
    /// The final answer to a call: a good one, or that nothing is there.
    pub(crate) fn ask(&self, call: &Call) -> Result<web::Response> {
        let mut tries = Tries::new(self);
        if let Some(window) = call.window {
            tries = Tries::within(self, window);
        }
        loop {
            let next = match call.at_leader && self.looks_for_leader() {
                true => self.leading(&mut tries)?,
                false => tries.next(),
            };
            let Some(index) = next else {
                tries.end_round()?;
                continue;
            };
            if let Some(response) = self.once(call, index, &mut tries)? {
                return Ok(response);
            }
        }
    }

    /// As [`Self::ask`], of an answer that must be there.
    pub(crate) fn done(&self, call: &Call) -> Result<Answer> {
        let response = self.ask(call)?;
        match verdict(&response) {
            Verdict::Missing(words) => Err(Error::Refused {
                url: response.url.clone(),
                status: response.status,
                reason: self.sessions.masked(&words),
            }),
            _ => self.answer(&response),
        }
    }

    /// A good answer, with nothing secret in what the server remarks.
    pub(crate) fn answer(&self, response: &web::Response) -> Result<Answer> {
        let masked = |text: String| self.sessions.masked(&text);
        match Answer::of(response) {
            Ok(mut answer) => {
                answer.warnings = answer.warnings.into_iter().map(masked).collect();
                Ok(answer)
            }
            Err(Error::UnrecognizedParameters { url, warning }) => {
                let warning = masked(warning);
                Err(Error::UnrecognizedParameters { url, warning })
            }
            Err(Error::Answer { url, reason }) => {
                let reason = masked(reason);
                Err(Error::Answer { url, reason })
            }
            Err(error) => Err(error),
        }
    }

    /// What one node says of its state, asked once.
    pub(crate) fn state_of(&self, index: usize, path: &str) -> Result<Answer> {
        let mut tries = Tries::once(self);
        let Some(response) = self.send(&Call::state(path), index, None, &mut tries)? else {
            return Err(tries.end());
        };
        match verdict(&response) {
            Verdict::Good => self.answer(&response),
            _ => Err(self.foreign(&response)),
        }
    }

    /// Sends a call to a node; none, and a trouble, if there is no answer.
    pub(crate) fn send(
        &self,
        call: &Call,
        index: usize,
        token: Option<&str>,
        tries: &mut Tries<'_>,
    ) -> Result<Option<web::Response>> {
        let Some(node) = self.nodes.get(index) else {
            return Ok(None);
        };
        let namespace = self.settings().namespace.as_deref();
        match node
            .client()?
            .send(&call.request(&node.base, namespace, token))
        {
            Ok(response) => Ok(Some(response)),
            Err(error) => {
                self.unpin(index);
                if call.repeat == Repeat::Never && !error.is_before_sending() {
                    let url = format!("{}/v1/{}", node.address, call.path);
                    let reason = error.to_string();
                    return Err(Error::LostAnswer { url, reason });
                }
                tries.note(Trouble::Network(error));
                Ok(None)
            }
        }
    }

    /// Asks one node; none if another must be asked, or the same again.
    fn once(
        &self,
        call: &Call,
        index: usize,
        tries: &mut Tries<'_>,
    ) -> Result<Option<web::Response>> {
        let session = match &call.leave {
            Leave::Session if self.has_auth() => Some(self.session()?),
            _ => None,
        };
        let token = match (&call.leave, &session) {
            (Leave::Token(token), _) => Some(token.expose()),
            (_, Some(session)) => Some(session.token.expose()),
            _ => None,
        };
        let Some(response) = self.send(call, index, token, tries)? else {
            return Ok(None);
        };
        match verdict(&response) {
            Verdict::Good | Verdict::Missing(_) => {
                // Any node tells its own state, which is no sign that it works.
                if call.at_leader {
                    self.prefer(index);
                }
                return Ok(Some(response));
            }
            Verdict::Denied(words) => {
                self.denied(call, index, session, &response.url, &words, tries)?;
            }
            Verdict::Elsewhere(location) => self.elsewhere(index, &response, location, tries)?,
            Verdict::Passing(passing) => {
                if !matches!(passing, Passing::Quota(..)) {
                    self.unpin(index);
                }
                self.pass(call, &response.url, passing, tries)?;
            }
            Verdict::Sealed(reason) => {
                self.unpin(index);
                tries.note(self.sealed(index, reason));
            }
            last => return Err(self.refusal(call, &response, last)),
        }
        Ok(None)
    }

    /// Notes what will pass, unless it may have been done and must not be done twice.
    pub(crate) fn pass(
        &self,
        call: &Call,
        url: &str,
        passing: Passing,
        tries: &mut Tries<'_>,
    ) -> Result<()> {
        let url = url.to_owned();
        let masked = |reason: String| self.sessions.masked(&reason);
        let trouble = match passing {
            Passing::Election(reason) => Trouble::Election {
                reason: masked(reason),
            },
            Passing::Quota(reason, pause) => Trouble::Quota {
                url,
                reason: masked(reason),
                pause,
            },
            Passing::Interrupted(reason) | Passing::Gateway(reason)
                if call.repeat == Repeat::Never =>
            {
                let reason = masked(reason);
                return Err(Error::LostAnswer { url, reason });
            }
            Passing::Interrupted(reason) => Trouble::Election {
                reason: masked(reason),
            },
            Passing::Gateway(reason) => Trouble::Gateway {
                url,
                reason: masked(reason),
            },
        };
        tries.note(trouble);
        Ok(())
    }

    /// A server that was never initialized says that it is sealed, too.
    pub(crate) fn sealed(&self, index: usize, reason: String) -> Trouble {
        let (mut unheard, call) = (Tries::once(self), Call::state("sys/seal-status"));
        let status = self.send(&call, index, None, &mut unheard).ok().flatten();
        let state = status.and_then(|response| Answer::of(&response).ok());
        let initialized = state.and_then(|answer| answer.data.get("initialized")?.as_bool());
        let url = self.nodes.get(index).map(|node| node.address.clone());
        let (url, reason) = (url.unwrap_or_default(), self.sessions.masked(&reason));
        match initialized {
            Some(false) => Trouble::Uninitialized { url },
            _ => Trouble::Sealed { url, reason },
        }
    }

    pub(crate) fn foreign(&self, response: &web::Response) -> Error {
        Error::Answer {
            url: response.url.clone(),
            reason: self.sessions.masked(&shape(response)),
        }
    }

    /// What is final.
    fn refusal(&self, call: &Call, response: &web::Response, verdict: Verdict) -> Error {
        let url = response.url.clone();
        let masked = |reason: String| self.sessions.masked(&reason);
        match verdict {
            Verdict::NoNamespace => Error::NamespaceUnknown {
                url,
                namespace: self.settings().namespace.clone().unwrap_or_default(),
            },
            Verdict::NoMount => Error::NoMount {
                url,
                path: call.path.clone(),
            },
            Verdict::NoDefaultIssuer(reason) => Error::NoDefaultIssuer {
                url,
                reason: masked(reason),
            },
            Verdict::NoIssuer(reason) => Error::IssuerUnknown {
                url,
                reason: masked(reason),
            },
            Verdict::Refused(reason) => Error::Refused {
                url,
                status: response.status,
                reason: masked(reason),
            },
            _ => self.foreign(response),
        }
    }
}
