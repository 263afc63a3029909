// SPDX-License-Identifier: Apache-2.0
//! The one token of a connection: got when it is needed first, shared by all threads, given back at the end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Auth, Error, Result, Secret, Vault};

/// A token just made may not be known yet to a node that only follows; measured were 47 to 101 ms.
const SPREADING: Duration = Duration::from_secs(3);

/// A token.
pub(crate) struct Session {
    pub(crate) token: Secret,
    /// Whether we got it by logging in.
    pub(crate) is_ours: bool,
    /// Whether it can be given back: those of the kind `batch` cannot.
    pub(crate) is_revocable: bool,
    since: Instant,
}

impl Session {
    pub(crate) fn given(token: Secret) -> Self {
        Self {
            token,
            is_ours: false,
            is_revocable: false,
            since: Instant::now(),
        }
    }

    pub(crate) fn ours(token: Secret, kind: &str) -> Self {
        Self {
            token,
            is_ours: true,
            is_revocable: kind != "batch",
            since: Instant::now(),
        }
    }

    /// Whether not all nodes may have heard of it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_ours && self.since.elapsed() < SPREADING
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("is_ours", &self.is_ours)
            .finish_non_exhaustive()
    }
}

/// What became of the login.
#[derive(Debug, Default)]
enum Current {
    /// Nobody has logged in.
    #[default]
    None,
    /// Somebody has.
    Open(Arc<Session>),
    /// The server has refused it, with this. It counts refusals, and after a few of them locks the name for everybody who
    /// logs in with it, so it is not asked once more.
    Refused(Error),
}

/// The session, and every secret that was used for one, so that no message shows it.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    current: Mutex<Current>,
    secrets: Mutex<Vec<Secret>>,
    /// A wrapping token unwraps once, and a second login needs what was in it.
    pub(crate) unwrapped: Mutex<Option<Secret>>,
}

impl Sessions {
    /// Keeps a secret out of all messages.
    pub(crate) fn hide(&self, secret: &Secret) {
        // In something shorter there is no secret, and it is in every text.
        const SHORTEST: usize = 4;
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.expose().len() >= SHORTEST && !secrets.contains(secret) {
            secrets.push(secret.clone());
        }
    }

    /// A text of the server's with nothing in it that is secret.
    pub(crate) fn masked(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.expose(), "********")
        })
    }
}

impl Vault {
    /// The session, made by who asks first; the others wait, and share its refusal too.
    pub(crate) fn session(&self) -> Result<Arc<Session>> {
        let mut current = self.sessions.current.lock();
        let current = current.as_mut().map_err(|_| poisoned())?;
        match &**current {
            Current::Open(session) => return Ok(Arc::clone(session)),
            Current::Refused(error) => return Err(error.clone()),
            Current::None => {}
        }
        let made = self.log_in().map(Arc::new);
        match &made {
            Ok(session) => **current = Current::Open(Arc::clone(session)),
            Err(error) if is_refusal(error) => **current = Current::Refused(error.clone()),
            Err(_) => {}
        }
        made
    }

    /// Another session in the place of one that the server does not take any more, if somebody did not make it meanwhile.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let current = self.sessions.current.lock();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        if matches!(&*current, Current::Open(now) if Arc::ptr_eq(now, session)) {
            *current = Current::None;
        }
    }

    /// The session that there is, and no other.
    pub(crate) fn take_session(&self) -> Option<Arc<Session>> {
        let current = self.sessions.current.lock();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *current) {
            Current::Open(session) => Some(session),
            // After the end as before it.
            refused @ Current::Refused(_) => {
                *current = refused;
                None
            }
            Current::None => None,
        }
    }

    /// Whether a call can be made at all.
    pub(crate) fn has_auth(&self) -> bool {
        self.settings().auth != Auth::None
    }
}

/// Whether the server has said no, and would again. What is only an outage, or nobody's word, is none.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        // Whether the wrapping token is spent nobody knows, and asking again would only blame somebody else for it.
        Error::LostAnswer { .. }
            | Error::LoginRefused { .. }
            | Error::WrappedSecretForeign { .. }
            | Error::WrappedSecretUsed { .. }
    )
}

/// A thread that panicked at the login; there is nothing to go on with.
fn poisoned() -> Error {
    Error::Setting {
        what: "session",
        reason: "another thread failed at the login".to_owned(),
    }
}
