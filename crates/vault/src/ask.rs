// SPDX-License-Identifier: Apache-2.0
//! Asking: which node, which token, and what an answer leads to.

use std::sync::Arc;
use std::time::Duration;

use web::Method;

use crate::call::{Call, Leave, Repeat};
use crate::session::Session;
use crate::system::Leader;
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
            _ => Answer::of(&response),
        }
    }

    /// What one node says of its state, asked once.
    pub(crate) fn state_of(&self, index: usize, path: &str) -> Result<Answer> {
        let mut tries = Tries::within(self, Duration::ZERO);
        let Some(response) = self.send(&Call::state(path), index, None, &mut tries)? else {
            return Err(tries.end());
        };
        match verdict(&response) {
            Verdict::Good => Answer::of(&response),
            _ => Err(self.foreign(&response)),
        }
    }

    /// With one address there is nobody to choose: what stands there may be a proxy before all nodes.
    fn looks_for_leader(&self) -> bool {
        self.settings().pin_active && self.nodes.len() > 1
    }

    /// The node that leads, if it was not asked in this round.
    fn leading(&self, tries: &mut Tries<'_>) -> Result<Option<usize>> {
        let known = match self.pinned() {
            Some(index) => Some(index),
            None => self.find_leader(tries)?,
        };
        Ok(known.filter(|index| tries.is_first_visit(*index)))
    }

    /// Asks each node who leads, and pins the one that says that it does. A standby that has another name for the leader
    /// than our list is taken in its place: it forwards.
    fn find_leader(&self, tries: &mut Tries<'_>) -> Result<Option<usize>> {
        let count = self.nodes.len();
        let first = self.preferred();
        let mut queue: Vec<usize> = (0..count).map(|step| (first + step) % count).collect();
        queue.reverse();
        let mut stand_by = None;
        while let Some(index) = queue.pop() {
            let Some(leader) = self.leader_by(index, tries)? else {
                continue;
            };
            if leader.is_self || !leader.ha_enabled {
                self.pin(index);
                return Ok(Some(index));
            }
            let url = leader.leader_address;
            match self.nodes.iter().position(|node| node.is_at(&url)) {
                Some(named) => {
                    // It is asked next, unless it was: a node is named for some seconds after its death.
                    if let Some(at) = queue.iter().position(|waiting| *waiting == named) {
                        queue.remove(at);
                        queue.push(named);
                    }
                    tries.note(Trouble::Election {
                        reason: format!("'{url}' should lead and does not"),
                    });
                }
                None if url.is_empty() => tries.note(Trouble::Election {
                    reason: "no leader is elected yet".to_owned(),
                }),
                None => stand_by = stand_by.or(Some(index)),
            }
        }
        if let Some(index) = stand_by {
            self.pin(index);
        }
        Ok(stand_by)
    }

    /// What a node says of the leader; none, and a trouble, if it cannot say.
    fn leader_by(&self, index: usize, tries: &mut Tries<'_>) -> Result<Option<Leader>> {
        let call = Call::state("sys/leader");
        let Some(response) = self.send(&call, index, None, tries)? else {
            return Ok(None);
        };
        match verdict(&response) {
            Verdict::Good => Answer::of(&response)?.parsed().map(Some),
            Verdict::Passing(passing) => self
                .pass(&call, &response.url, passing, tries)
                .map(|()| None),
            Verdict::Sealed(reason) => {
                tries.note(self.sealed(index, reason));
                Ok(None)
            }
            // Who must not be asked that stands before somebody: as one node alone.
            Verdict::Denied(_) | Verdict::Missing(_) | Verdict::NoMount | Verdict::Refused(_) => {
                Ok(Some(Leader::default()))
            }
            _ => Err(self.foreign(&response)),
        }
    }

    /// Sends a call to a node; none, and a trouble, if there is no answer.
    fn send(
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
            .client
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
                self.prefer(index);
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
    fn pass(&self, call: &Call, url: &str, passing: Passing, tries: &mut Tries<'_>) -> Result<()> {
        let url = url.to_owned();
        let trouble = match passing {
            Passing::Election(reason) => Trouble::Election { reason },
            Passing::Quota(reason, pause) => Trouble::Quota { url, reason, pause },
            Passing::Interrupted(reason) | Passing::Gateway(reason)
                if call.repeat == Repeat::Never =>
            {
                return Err(Error::LostAnswer { url, reason });
            }
            Passing::Interrupted(reason) => Trouble::Election { reason },
            Passing::Gateway(reason) => Trouble::Gateway { url, reason },
        };
        tries.note(trouble);
        Ok(())
    }

    /// A redirect leads to one of our own servers or nowhere: a token is for those that were named. A standby names the
    /// leader for some seconds after its death; if that is none of ours, another round may find another leader.
    fn elsewhere(
        &self,
        index: usize,
        response: &web::Response,
        location: String,
        tries: &mut Tries<'_>,
    ) -> Result<()> {
        self.unpin(index);
        let url = response.url.clone();
        let place = web::origin(&location).unwrap_or_else(|| web::shown(&location));
        if let Some(named) = self.nodes.iter().position(|node| node.is_at(&location)) {
            tries.note(Trouble::Election {
                reason: format!("{url} does not lead and redirects to {place}"),
            });
            if named != index {
                tries.follow(named);
            }
            return Ok(());
        }
        // Who sends us away may answer anything to that.
        let leader = self.leader_by(index, tries).ok().flatten();
        let leader = leader.unwrap_or_default();
        let is_the_leader = web::origin(&leader.leader_address).is_some_and(|it| it == place);
        match leader.ha_enabled && !leader.is_self && is_the_leader {
            true => {
                tries.note(Trouble::Redirect {
                    url,
                    location: place,
                });
                Ok(())
            }
            false => Err(Error::RedirectRefused {
                url,
                location: place,
            }),
        }
    }

    /// A server that was never initialized says that it is sealed, too.
    fn sealed(&self, index: usize, reason: String) -> Trouble {
        let (mut unheard, call) = (Tries::new(self), Call::state("sys/seal-status"));
        let status = self.send(&call, index, None, &mut unheard).ok().flatten();
        let state = status.and_then(|response| Answer::of(&response).ok());
        let initialized = state.and_then(|answer| answer.data.get("initialized")?.as_bool());
        let url = self.nodes.get(index).map(|node| node.address.clone());
        let url = url.unwrap_or_default();
        match initialized {
            Some(false) => Trouble::Uninitialized { url },
            _ => Trouble::Sealed { url, reason },
        }
    }

    fn foreign(&self, response: &web::Response) -> Error {
        Error::Answer {
            url: response.url.clone(),
            reason: shape(response),
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

    /// Says why the token does not do, by asking for the token itself; `Ok` if it is worth another try.
    fn denied(
        &self,
        call: &Call,
        index: usize,
        session: Option<Arc<Session>>,
        url: &str,
        words: &str,
        tries: &mut Tries<'_>,
    ) -> Result<()> {
        let (url, words) = (url.to_owned(), self.sessions.masked(words));
        let Some(session) = session else {
            return Err(Error::TokenInvalid {
                url,
                hint: match call.leave {
                    Leave::Session => ": none was given".to_owned(),
                    _ => String::new(),
                },
            });
        };
        match self.standing(index, &session, tries)? {
            Standing::Good(policies) => Err(Error::PermissionDenied { url, policies }),
            Standing::Hidden => Err(Error::PermissionDenied {
                url,
                policies: "it may not see which".to_owned(),
            }),
            Standing::Unclear => Err(Error::Refused {
                url,
                status: 403,
                reason: words,
            }),
            Standing::Invalid if tries.may_renew(&session) => {
                if !session.is_fresh() {
                    self.forget(&session);
                }
                tries.visit_again(index);
                Ok(())
            }
            Standing::Invalid => {
                let namespace = self.settings().namespace.as_ref();
                let hint = namespace.map(|name| format!(" (asked in the namespace '{name}')"));
                let hint = hint.unwrap_or_default();
                Err(Error::TokenInvalid { url, hint })
            }
        }
    }

    /// What a node thinks of the token.
    fn standing(&self, index: usize, session: &Session, tries: &mut Tries<'_>) -> Result<Standing> {
        let call = Call::new(Method::Get, "auth/token/lookup-self")?;
        let token = Some(session.token.expose());
        let Some(response) = self.send(&call, index, token, tries)? else {
            return Ok(Standing::Unclear);
        };
        Ok(match verdict(&response) {
            Verdict::Good => {
                let answer = Answer::of(&response)?;
                let mut policies = answer.texts("policies");
                policies.extend(answer.texts("identity_policies"));
                let mut standing = policies.join(", ");
                let own = answer.optional_text("namespace_path").unwrap_or("");
                let own = own.trim_end_matches('/');
                let asked = self.settings().namespace.as_deref().unwrap_or("");
                if own != asked.trim_matches('/') && !own.is_empty() {
                    standing = format!("{standing}; it belongs to the namespace '{own}'");
                }
                Standing::Good(standing)
            }
            // Several errors in a frame: the token was read, and its policies were asked.
            Verdict::Denied(words)
                if words.contains("error occurred") && !words.contains("invalid token") =>
            {
                Standing::Hidden
            }
            Verdict::Denied(_) => Standing::Invalid,
            _ => Standing::Unclear,
        })
    }
}

/// What a server thinks of a token.
enum Standing {
    /// It is valid, with these policies.
    Good(String),
    /// It is valid, and may not even see itself.
    Hidden,
    /// It is not known.
    Invalid,
    /// Nobody can tell.
    Unclear,
}
