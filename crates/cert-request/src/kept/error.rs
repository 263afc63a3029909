// SPDX-License-Identifier: Apache-2.0
//! Why certmonger did not do what was wished.

use std::path::PathBuf;
use std::time::Duration;

use certmonger::{Class, State};

use crate::failure::EntryError;

/// The failures; each says whether certmonger, its authority or the operator has to do something.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// certmonger cannot be asked.
    #[error(transparent)]
    Daemon(#[from] certmonger::Error),
    /// The daemon left while we waited, and did not come back.
    #[error("certmonger stopped while it worked on the certificate, and did not come back within {} s", within.as_secs())]
    Lost {
        /// How long we waited for it.
        within: Duration,
    },
    /// The time is over.
    #[error("certmonger is not done after {} s: state {state}{}", within.as_secs(), said(ca_error.as_deref()))]
    Late {
        /// Where it stands.
        state: State,
        /// What the authority said.
        ca_error: Option<String>,
        /// How long we waited.
        within: Duration,
    },
    /// A command of the user still runs.
    #[error("the certificate is there, and certmonger still runs a command after {} s: state {state}, {commands}", within.as_secs())]
    CommandRuns {
        /// Where it stands.
        state: State,
        /// `pre_save` and `post_save`.
        commands: String,
        /// How long we waited.
        within: Duration,
    },
    /// Two requests of one name.
    #[error("'{nickname}' is already the id of the request for '{}'; give 'nickname', or stop tracking that file", file.display())]
    NicknameTaken {
        /// The id.
        nickname: String,
        /// Whose it is.
        file: PathBuf,
    },
    /// The principal is incomplete.
    #[error(
        "the principal '{principal}' has no realm, and neither /etc/ipa/default.conf nor /etc/krb5.conf names one; write '{principal}@REALM'"
    )]
    RealmUnknown {
        /// The principal.
        principal: String,
    },
    /// The authority said no.
    #[error("the CA '{ca}' refuses the certificate: {said}")]
    Refused {
        /// The authority.
        ca: String,
        /// What it said.
        said: String,
    },
    /// Nothing will happen any more.
    #[error("certmonger is stuck: state {state}{}", said(ca_error.as_deref()))]
    Stuck {
        /// Where.
        state: State,
        /// What the authority said.
        ca_error: Option<String>,
    },
    /// The request is no longer there.
    #[error("the request '{nickname}' disappeared while we waited for it")]
    Removed {
        /// Its id.
        nickname: String,
    },
    /// It was told before, for another certificate.
    #[error(transparent)]
    Told(Box<EntryError>),
    /// The authority is not there.
    #[error("certmonger knows no CA '{ca}'; it knows {known}")]
    UnknownCa {
        /// What was asked for.
        ca: String,
        /// What there is.
        known: String,
    },
    /// certmonger says that it is done, and the file says otherwise.
    #[error("certmonger says that it is done, but '{}' {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// It came, certmonger installed it, and it is not what was asked for.
    #[error("certmonger installed a certificate that cannot serve")]
    Unfit {
        /// Why.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// The authority could not be asked.
    #[error("certmonger cannot reach the CA '{ca}'{}", said(ca_error.as_deref()))]
    Unreachable {
        /// The authority.
        ca: String,
        /// What the helper said.
        ca_error: Option<String>,
    },
}

fn said(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {}", text.trim()))
}

impl KeptError {
    /// The stable word for playbooks.
    pub fn kind(&self) -> &str {
        match self {
            Self::Daemon(error) => error.kind(),
            Self::Lost { .. } => "certmonger.went_away",
            Self::Late { .. } => "certmonger.timeout",
            Self::CommandRuns { .. } => "certmonger.command_runs",
            Self::NicknameTaken { .. } => "certmonger.nickname_taken",
            Self::RealmUnknown { .. } => "certmonger.realm_unknown",
            Self::Refused { .. } => "certmonger.refused",
            Self::Stuck { .. } => "certmonger.stuck",
            Self::Removed { .. } => "certmonger.removed",
            Self::Told(error) => error.kind(),
            Self::UnknownCa { .. } => "certmonger.unknown_ca",
            Self::File { .. } => "certmonger.file",
            Self::Unfit { source } => issuers::chain_kind(source),
            Self::Unreachable { .. } => "certmonger.unreachable",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Told(error) => error.hint(),
            _ => self.remedy().map(str::to_owned),
        }
    }

    fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Daemon(error) => error.hint(),
            Self::Lost { .. } => {
                Some("start certmonger again: it goes on by itself, and so does the next run")
            }
            Self::Late { state, .. } if state.class() == Class::CaWorking => Some(
                "the CA has the request, and certmonger asks again by itself: run again later, or set 'wait: false'",
            ),
            Self::Late { .. } => Some(
                "certmonger goes on by itself: run again later, or raise 'wait_timeout'; one request in POST_SAVED_CERT (see 'getcert list') holds up all others",
            ),
            Self::CommandRuns { .. } => {
                Some("end the command, and run again; certmonger waits for it without limit")
            }
            Self::Stuck { state, .. } => Some(state.remedy()),
            Self::UnknownCa { .. } => {
                Some("add it with 'getcert add-ca', or see 'getcert list-cas'")
            }
            Self::Unreachable { .. } => Some(
                "when the CA is back, run again: certmonger itself would wait for days before it tries again",
            ),
            Self::Refused { .. } => {
                Some("put right what the CA names, and run again; a certificate in service stays")
            }
            _ => None,
        }
    }
}
