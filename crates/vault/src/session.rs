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

/// The session, and every secret that was used for one, so that no message shows it.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    current: Mutex<Option<Arc<Session>>>,
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
    /// The session, made by who asks first; the others wait.
    pub(crate) fn session(&self) -> Result<Arc<Session>> {
        let mut current = self.sessions.current.lock();
        let current = current.as_mut().map_err(|_| poisoned())?;
        if let Some(session) = current.as_ref() {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.log_in()?);
        **current = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Another session in the place of one that the server does not take any more, if somebody did not make it meanwhile.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let current = self.sessions.current.lock();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|now| Arc::ptr_eq(now, session))
        {
            *current = None;
        }
    }

    /// The session that there is, and no other.
    pub(crate) fn take_session(&self) -> Option<Arc<Session>> {
        let current = self.sessions.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a call can be made at all.
    pub(crate) fn has_auth(&self) -> bool {
        self.settings().auth != Auth::None
    }
}

/// A thread that panicked at the login; there is nothing to go on with.
fn poisoned() -> Error {
    Error::Setting {
        what: "session",
        reason: "another thread failed at the login".to_owned(),
    }
}
