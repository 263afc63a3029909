// SPDX-License-Identifier: Apache-2.0
//! Why a token does not do. The server says "permission denied" of one that it does not know, and of one without a policy.

use std::sync::Arc;

use web::Method;

use crate::call::{Call, Leave};
use crate::session::Session;
use crate::tries::Tries;
use crate::verdict::{Verdict, verdict};
use crate::{Error, Result, Vault};

impl Vault {
    /// Says why the token does not do, by asking for the token itself; `Ok` if it is worth another try.
    pub(crate) fn denied(
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
            // The node is gone meanwhile: another one tells.
            Standing::Unheard => Ok(()),
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
            return Ok(Standing::Unheard);
        };
        Ok(match verdict(&response) {
            Verdict::Good => {
                let answer = self.answer(&response)?;
                let mut policies = answer.texts("policies");
                policies.extend(answer.texts("identity_policies"));
                let mut standing = policies.join(", ");
                let own = answer.optional_text("namespace_path").unwrap_or("");
                let own = own.trim_end_matches('/');
                let asked = self.settings().namespace.as_deref().unwrap_or("");
                if own != asked.trim_matches('/') && !own.is_empty() {
                    standing = format!("{standing}; it belongs to the namespace '{own}'");
                }
                Standing::Good(self.sessions.masked(&standing))
            }
            // Several errors in a frame: the token was read, and its policies were asked.
            Verdict::Denied(words)
                if words.contains("error occurred") && !words.contains("invalid token") =>
            {
                Standing::Hidden
            }
            Verdict::Denied(_) => Standing::Invalid,
            Verdict::Passing(passing) => {
                self.pass(&call, &response.url, passing, tries)?;
                Standing::Unheard
            }
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
    /// Its server says nothing of it.
    Unclear,
    /// Its server cannot be asked, which is noted.
    Unheard,
}
